import { useEffect, useState } from 'react'
import { platformBackups, type PlatformBackups } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { Code, Icon } from '../../../ui/parts/react.ts'
import { Moment } from '../admin/kit/cell.tsx'
import type { AreaProps } from '../admin/kit/resource.tsx'
import { problemText } from '../shell/shell.ts'
import { Tile } from './health.tsx'

const HOUR_SECONDS = 3600
/** A backup a day, with an hour for the work; a trial a week. */
const GOALS = { newest: 25, trial: 7 * 24 }
const COLUMNS = ['at', 'name', 'kind', 'row_count', 'duration', 'trial'] as const

/** When everything was put in safety, and whether it can be brought back. */
export function Backups({ api }: AreaProps) {
  const [known, setKnown] = useState<PlatformBackups>()
  const [problem, setProblem] = useState('')
  useEffect(
    () => void api.run(platformBackups, {}).then(setKnown, (error: unknown) => setProblem(problemText(error))),
    [api],
  )
  const age = (seconds: number | null) =>
    seconds === null ? '—' : t('platform.hours', { count: Math.floor(seconds / HOUR_SECONDS) })
  const isLate = (seconds: number | null, hours: number) => seconds === null || seconds > hours * HOUR_SECONDS
  return (
    <>
      <h1>{t('platform.backups')}</h1>
      <p className="muted about">{t('platform.backups_about')}</p>
      <p className="problem" role="alert">
        {problem}
      </p>
      {known && (
        <>
          <div className="tiles">
            <Tile
              name={t('platform.newest_backup')}
              goal={t('platform.goal_hours', { count: GOALS.newest })}
              isBad={isLate(known.newest_age_seconds, GOALS.newest)}
            >
              {age(known.newest_age_seconds)}
            </Tile>
            <Tile
              name={t('platform.newest_trial')}
              goal={t('platform.goal_hours', { count: GOALS.trial })}
              isBad={isLate(known.trial_age_seconds, GOALS.trial)}
            >
              {age(known.trial_age_seconds)}
            </Tile>
          </div>
          {known.results.length === 0 ? (
            <p className="empty">{t('platform.no_backups')}</p>
          ) : (
            <div className="table-box" tabIndex={0} role="region" aria-label={t('platform.backups')}>
              <table className="table">
                <thead>
                  <tr>
                    {COLUMNS.map((name) => (
                      <th key={name} scope="col">
                        {t(`platform.backup_${name}`)}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {known.results.map((each) => (
                    <tr key={each.name} data-backup={each.name}>
                      <td>
                        <Moment at={each.at} zone={api.timeZone} />
                      </td>
                      <th scope="row">
                        <Code>{each.name}</Code>
                      </th>
                      <td>{t(`platform.backup_kind_${each.kind}`)}</td>
                      <td>
                        <Code>{each.row_count === null ? '—' : String(each.row_count)}</Code>
                      </td>
                      <td>
                        <Code>{`${each.duration_seconds.toFixed(1)} s`}</Code>
                      </td>
                      <td className={each.is_well === null ? 'muted' : each.is_well ? 'saved' : 'fault'}>
                        {each.is_well === null ? (
                          t('platform.not_tried')
                        ) : (
                          <>
                            <Icon name={each.is_well ? 'check' : 'alert'} />{' '}
                            {t(each.is_well ? 'platform.trial_well' : 'platform.trial_wrong')}{' '}
                            <Moment at={each.verified_at!} zone={api.timeZone} />
                          </>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          <h2>{t('platform.backup_commands')}</h2>
          <pre className="snippet">{'smartqueue backup --to /var/backups/smartqueue --verify --keep 14'}</pre>
        </>
      )}
    </>
  )
}
