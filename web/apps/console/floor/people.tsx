import { clockTime, counterName, stopwatch } from '../../../ui/format.ts'
import { t } from '../../../ui/messages.ts'
import { Code, Icon, LineBadge, TicketNumber } from '../../../ui/parts/react.ts'
import { lineCode, type Catalogue } from '../state/catalogue.ts'
import { useSecond } from '../state/clock.ts'
import type { FloorAgent } from './model.ts'

/** One cell for everybody who could serve: where, whom, since when. Pressing one moves the person or opens the counter. */
export function People({
  agents,
  catalogue,
  zone,
  onAct,
}: {
  agents: readonly FloorAgent[]
  catalogue: Catalogue
  zone: string
  onAct(agent: FloorAgent): void
}) {
  return (
    <ul className="people">
      {agents.map((agent) => (
        <Cell key={agent.id} agent={agent} catalogue={catalogue} zone={zone} onAct={onAct} />
      ))}
    </ul>
  )
}

function Cell({
  agent,
  catalogue,
  zone,
  onAct,
}: {
  agent: FloorAgent
  catalogue: Catalogue
  zone: string
  onAct(agent: FloorAgent): void
}) {
  const now = useSecond()
  const { status, ticket, expected_return_at } = agent
  const since = ticket?.since ?? agent.status_since
  const isOverdue = expected_return_at !== null && Date.parse(expected_return_at) / 1000 < now
  return (
    <li>
      <button type="button" className="cell" data-agent={agent.id} data-status={status} onClick={() => onAct(agent)}>
        <span className="cell-head">
          <strong>{agent.name}</strong>
          <span className="muted">{agent.counter_name === null ? '–' : counterName(agent.counter_name)}</span>
        </span>
        <span className="cell-state">
          <span className="dot" aria-hidden="true" />
          {t(`agent_status.${status}`)}
          {ticket && (
            <>
              {' · '}
              <TicketNumber>{ticket.number}</TicketNumber>
            </>
          )}
          {status !== 'offline' && (
            <>
              {' · '}
              <Code>{stopwatch(now - Date.parse(since) / 1000)}</Code>
            </>
          )}
        </span>
        {expected_return_at !== null && status === 'break' && (
          <span className="muted" data-overdue={isOverdue || undefined}>
            {isOverdue && <Icon name="alert" />}
            {t('floor.back_at', { time: clockTime(expected_return_at, zone) })}
          </span>
        )}
        <span className="cell-lines">
          {agent.queue_ids.map((id) => (
            <LineBadge key={id} code={lineCode(catalogue, id)} />
          ))}
        </span>
      </button>
    </li>
  )
}
