import { useEffect, useState, type ReactNode } from 'react'
import { platformHealth, type PlatformHealth } from '../../../data/operations.ts'
import { languageTag } from '../../../../shared/format.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import type { AreaProps } from '../admin/kit/resource.tsx'
import { problemText } from '../shell/shell.ts'

const AGAIN_MS = 5000
/** Goals of the installation, in milliseconds and seconds. */
const GOALS = { requests: 250, events: 500, oldest: 60 }

const milliseconds = (value: number) =>
  new Intl.NumberFormat(languageTag(currentLanguage()), {
    style: 'unit',
    unit: 'millisecond',
    maximumFractionDigits: 0,
  }).format(value)

/** Few figures, each beside its goal. */
export function Health({ api }: AreaProps) {
  const [health, setHealth] = useState<PlatformHealth>()
  const [problem, setProblem] = useState('')
  useEffect(() => {
    const look = () =>
      void api.run(platformHealth, {}).then(
        (now) => {
          setHealth(now)
          setProblem('')
        },
        (error: unknown) => setProblem(problemText(error)),
      )
    look()
    const timer = setInterval(look, AGAIN_MS)
    return () => clearInterval(timer)
  }, [api])
  const ms = (value: number | null) => (value === null ? '—' : milliseconds(value))
  return (
    <>
      <h1>{t('platform.health')}</h1>
      <p className="muted about">{t('platform.health_about')}</p>
      <p className="problem" role="alert">
        {problem}
      </p>
      {health && (
        <div className="tiles">
          <Tile
            name={t('platform.requests')}
            goal={t('platform.goal_ms', { count: GOALS.requests })}
            isBad={(health.requests.p95_ms ?? 0) > GOALS.requests}
          >
            {ms(health.requests.p95_ms)}
          </Tile>
          <Tile
            name={t('platform.events')}
            goal={t('platform.goal_ms', { count: GOALS.events })}
            isBad={(health.events.p95_ms ?? 0) > GOALS.events}
          >
            {ms(health.events.p95_ms)}
          </Tile>
          <Tile name={t('platform.sockets')}>{health.sockets}</Tile>
          <Tile
            name={t('platform.due')}
            goal={t('platform.goal_seconds', { count: GOALS.oldest })}
            isBad={health.jobs.oldest_seconds > GOALS.oldest}
          >
            {health.jobs.due}
          </Tile>
          <Tile name={t('platform.dead')} goal={t('platform.goal_none')} isBad={health.jobs.dead > 0}>
            {health.jobs.dead}
          </Tile>
          <Tile
            name={t('platform.failed_messages')}
            goal={t('platform.of_sent', { count: health.messages.sent })}
            isBad={health.messages.failed > health.messages.sent / 10}
          >
            {health.messages.failed}
          </Tile>
        </div>
      )}
    </>
  )
}

/** A figure beside its goal. */
export function Tile(props: { name: string; goal?: string; isBad?: boolean; children: ReactNode }) {
  const { name, goal, isBad = false, children } = props
  return (
    <div className="tile" data-level={isBad ? 'bad' : 'good'}>
      <span className="muted">{name}</span>
      <strong>
        <bdi>{children}</bdi>
      </strong>
      {goal && (
        <span className="muted">
          <Icon name={isBad ? 'alert' : 'check'} /> {goal}
        </span>
      )}
    </div>
  )
}
