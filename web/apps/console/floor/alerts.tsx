import { counterName } from '../../../ui/format.ts'
import { currentLanguage, t, type MessageKey } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import { serviceName } from '../state/catalogue.ts'
import { useSecond } from '../state/clock.ts'
import { useStore } from '../state/store.ts'
import type { FloorActs } from './acts.ts'

/** What wants an act now, each with the button that does it. Nothing to do is said, too. */
export function Alerts({ acts, openQueue }: { acts: FloorActs; openQueue(id: number): void }) {
  const { floor } = acts
  useStore(floor)
  useSecond()
  const alerts = floor.alerts()
  const { catalogue, floor: facts } = floor.state
  if (!catalogue || !facts) return null
  const name = (id: number) => serviceName(catalogue, id, currentLanguage())
  const device = (id: number) => facts.devices.find((each) => each.id === id)?.name ?? ''
  const agent = (id: number) => facts.agents.find((each) => each.id === id)?.name ?? ''
  const counter = (id: number) => counterName(catalogue.counters.find((each) => each.id === id)?.name ?? null)
  const open = alerts.filter(({ by }) => by === null)
  const taken = alerts.filter(({ by }) => by !== null)
  return (
    <section className="alerts" aria-labelledby="alerts-title">
      <h2 id="alerts-title">
        {t('floor.alerts')} <span className="count">{open.length}</span>
      </h2>
      {open.length === 0 && (
        <p className="muted">
          <Icon name="check" /> {t('floor.no_alerts')}
        </p>
      )}
      <ul aria-live="polite">
        {open.map((alert) => {
          const { act } = alert
          const isQueue = ['wait', 'staff', 'unserved', 'full'].includes(alert.kind)
          const subject = isQueue ? name(alert.subject) : device(alert.subject)
          const count = alert.kind === 'wait' ? Math.floor(alert.count / 60) : alert.count
          const label =
            act.kind === 'open_counter'
              ? t('floor.act_open', { counter: counter(act.counter_id), name: agent(act.agent_id) })
              : act.kind === 'move_agent'
                ? t('floor.act_move', { name: agent(act.agent_id), line: name(act.queue_id) })
                : act.kind === 'stop_intake'
                  ? t('floor.act_stop')
                  : act.kind === 'raise_limit'
                    ? t('floor.act_limit')
                    : null
          return (
            <li key={alert.name} className="alert" data-alert={alert.name}>
              <Icon name="alert" />
              <span>{t(`floor.alert_${alert.kind}` as MessageKey, { subject, count })}</span>
              <span className="alert-acts">
                {label && (
                  <button
                    type="button"
                    className="button"
                    data-kind="primary"
                    onClick={() => acts.obey(act, openQueue)}
                  >
                    {label}
                  </button>
                )}
                <button
                  type="button"
                  className="button"
                  data-acknowledge=""
                  onClick={() => void acts.acknowledge(alert.name)}
                >
                  {t('floor.acknowledge')}
                </button>
              </span>
            </li>
          )
        })}
      </ul>
      {taken.length > 0 && (
        <p className="muted" data-taken="">
          {taken
            .map(({ kind, subject, by, count }) =>
              t('floor.taken', {
                what: t(`floor.alert_${kind}` as MessageKey, {
                  subject: ['wait', 'staff', 'unserved', 'full'].includes(kind) ? name(subject) : device(subject),
                  count: kind === 'wait' ? Math.floor(count / 60) : count,
                }),
                name: by || t('floor.somebody'),
              }),
            )
            .join(' · ')}
        </p>
      )}
    </section>
  )
}
