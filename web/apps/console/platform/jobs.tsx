import { useCallback, useEffect, useState } from 'react'
import { jobsDead, jobsDiscard, jobsRetry, type JobsDead } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { Code } from '../../../ui/parts/react.ts'
import { Moment } from '../admin/kit/cell.tsx'
import type { AreaProps } from '../admin/kit/resource.tsx'
import { problemText } from '../shell/shell.ts'

/** Jobs that failed as often as they may: again, or never. */
export function Jobs({ api }: AreaProps) {
  const [list, setList] = useState<JobsDead['results']>()
  const [said, setSaid] = useState('')
  const fail = (error: unknown) => setSaid(problemText(error))
  const load = useCallback(() => api.run(jobsDead, {}).then(({ results }) => setList(results), fail), [api])
  useEffect(() => void load(), [load])
  const act = (work: Promise<unknown>, text: string) => void work.then(() => setSaid(text)).then(load, fail)
  return (
    <>
      <h1>{t('platform.jobs')}</h1>
      <p className="muted about">{t('platform.jobs_about')}</p>
      <p role="status">{said}</p>
      {list?.length === 0 && <p className="empty">{t('platform.no_dead')}</p>}
      <ul className="persons">
        {list?.map(({ id, task, attempts, last_error, failed_at, payload }) => (
          <li key={id} data-job={id}>
            <strong>
              <Code>{task}</Code>
            </strong>
            <Moment at={failed_at} zone={api.timeZone} />
            <span className="muted">{t('platform.attempts', { count: attempts })}</span>
            <span className="fault">
              <bdi dir="ltr">{last_error}</bdi>
            </span>
            <pre className="snippet">{JSON.stringify(payload)}</pre>
            <span className="row">
              <button
                type="button"
                className="button"
                data-kind="primary"
                data-retry={id}
                onClick={() => act(api.run(jobsRetry, { id }), t('platform.retried'))}
              >
                {t('platform.retry')}
              </button>
              <button
                type="button"
                className="button"
                data-discard={id}
                onClick={() => act(api.run(jobsDiscard, { id }), t('platform.discarded'))}
              >
                {t('platform.discard')}
              </button>
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}
