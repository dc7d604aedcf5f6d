import { useCallback, useEffect, useState } from 'react'
import {
  queuesPublishRules,
  queuesRollBackRules,
  queuesRuleDiff,
  queuesRuleVersions,
  queuesSimulate,
  type QueuesRuleDiff,
  type QueuesRuleVersions,
  type QueuesSimulate,
} from '../../../data/operations.ts'
import { formatDuration } from '../../../../shared/format.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import { linkTo } from '../shell/router.ts'
import { problemText } from '../shell/shell.ts'
import { serverNow } from '../state/clock.ts'
import type { Api, Row } from './kit/api.ts'
import { Moment } from './kit/cell.tsx'

const DAY_MS = 86_400_000

/** Rules of a queue: what publishing would change, what it would have done yesterday, and the way back. */
export function QueueRules({ api, row }: { api: Api; row: Row }) {
  const { id } = row
  const [diff, setDiff] = useState<QueuesRuleDiff>()
  const [versions, setVersions] = useState<QueuesRuleVersions['results']>([])
  const [note, setNote] = useState('')
  const [said, setSaid] = useState('')
  const load = useCallback(async () => {
    const [next, list] = await Promise.all([api.run(queuesRuleDiff, { id }), api.run(queuesRuleVersions, { id })])
    setDiff(next)
    setVersions(list.results)
  }, [api, id])
  useEffect(() => void load().catch((error: unknown) => setSaid(problemText(error))), [load])
  const act = (work: Promise<unknown>, text: string) =>
    work.then(load).then(
      () => setSaid(text),
      (error: unknown) => setSaid(problemText(error)),
    )
  if (!diff) return null
  const changes = diff.added.length + diff.removed.length + diff.changed.length
  return (
    <section className="section" data-rules={id}>
      <h2>{t('admin.rules')}</h2>
      <p>
        <a {...linkTo('admin/rules')}>{t('admin.rules_edit')}</a>
      </p>
      {changes === 0 ? (
        <p className="muted">{t('admin.no_draft')}</p>
      ) : (
        <ul className="diff" data-diff={changes}>
          {diff.added.map((rule) => (
            <li key={rule.id} data-change="added">
              + {rule.name}
            </li>
          ))}
          {diff.changed.map(({ id: rule, before, after }) => (
            <li key={rule} data-change="changed">
              ± {before.name === after.name ? after.name : `${before.name} → ${after.name}`}
            </li>
          ))}
          {diff.removed.map((rule) => (
            <li key={rule.id} data-change="removed">
              − {rule.name}
            </li>
          ))}
        </ul>
      )}
      <Tried api={api} id={id} />
      <div className="row">
        <input
          aria-label={t('admin.field.note')}
          placeholder={t('admin.field.note')}
          value={note}
          maxLength={500}
          onChange={(e) => setNote(e.target.value)}
        />
        <button
          type="button"
          className="button"
          data-kind="primary"
          data-publish={id}
          disabled={changes === 0}
          onClick={() => void act(api.run(queuesPublishRules, { id, note }), t('admin.published'))}
        >
          {t('admin.publish')}
        </button>
        <span role="status">{said}</span>
      </div>
      {versions.length > 0 && (
        <>
          <h3>{t('admin.versions')}</h3>
          <ol className="versions">
            {versions.map(({ version, published_at, rules, note: why }, i) => (
              <li key={version} data-version={version}>
                <strong>{t('admin.version', { number: version })}</strong>{' '}
                <Moment at={published_at} zone={api.timeZone} />{' '}
                <span className="muted">{t('admin.rules_count', { count: rules.length })}</span> <bdi>{why}</bdi>{' '}
                {i > 0 && (
                  <button
                    type="button"
                    className="button"
                    data-roll-back={version}
                    onClick={() =>
                      void act(
                        api.run(queuesRollBackRules, { id, version }),
                        t('admin.rolled_back', { number: version }),
                      )
                    }
                  >
                    {t('admin.roll_back')}
                  </button>
                )}
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  )
}

/** Yesterday, or another past day, played again under the draft. */
function Tried({ api, id }: { api: Api; id: number }) {
  const [date, setDate] = useState(() =>
    new Intl.DateTimeFormat('en-CA', { timeZone: api.timeZone }).format(serverNow() - DAY_MS),
  )
  const [result, setResult] = useState<QueuesSimulate>()
  const [said, setSaid] = useState('')
  const minutes = (seconds: number | null) => (seconds === null ? '—' : formatDuration(seconds, currentLanguage()))
  const run = () => {
    setSaid(t('ui.loading'))
    api.run(queuesSimulate, { id, date, rules: 'draft' }).then(
      (answer) => {
        setResult(answer)
        setSaid('')
      },
      (error: unknown) => setSaid(problemText(error)),
    )
  }
  return (
    <div className="tried">
      <div className="row">
        <input
          type="date"
          dir="ltr"
          aria-label={t('admin.field.date')}
          value={date}
          onChange={(e) => setDate(e.target.value)}
        />
        <button type="button" className="button" data-try={id} onClick={run}>
          <Icon name="clock" /> {t('admin.try_yesterday')}
        </button>
        <span role="status">{said}</span>
      </div>
      {result && (
        <div data-tried={result.identical}>
          <p>{t(result.identical ? 'admin.tried_same' : 'admin.tried_other')}</p>
          <p className="muted">
            {t('admin.tried_figures', {
              refused: result.refused,
              elsewhere: result.sent_elsewhere,
              joined: result.joined,
            })}
          </p>
          <Waits result={result} minutes={minutes} />
        </div>
      )}
    </div>
  )
}

function Waits({ result, minutes }: { result: QueuesSimulate; minutes(seconds: number | null): string }) {
  return (
    <table className="table">
      <thead>
        <tr>
          {(['class', 'recorded', 'simulated'] as const).map((name) => (
            <th key={name} scope="col">
              {t(`admin.tried.${name}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {result.waits.map((wait) => (
          <tr key={String(wait.priority)}>
            <th scope="row">
              {wait.priority === null ? t('admin.whole_queue') : t('admin.class', { number: wait.priority })}
            </th>
            <td data-seconds={wait.actual.p50_seconds}>{minutes(wait.actual.p50_seconds)}</td>
            <td data-seconds={wait.simulated.p50_seconds}>{minutes(wait.simulated.p50_seconds)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
