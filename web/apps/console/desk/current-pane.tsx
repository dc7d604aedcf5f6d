import type { Ticket } from '../../../../shared/board.ts'
import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { clockTime, counterName, stopwatch } from '../../../ui/format.ts'
import { currentLanguage, t, type MessageKey } from '../../../ui/messages.ts'
import { Code, Icon, LineBadge, TicketNumber } from '../../../ui/parts/react.ts'
import { selected } from './commands.ts'
import { Timer } from './timer.tsx'
import type { Acts } from './state/acts.ts'
import { lineCode, serviceName } from '../state/catalogue.ts'
import { useSecond } from '../state/clock.ts'
import { stateOf } from './state/desk.ts'
import { useStore } from '../state/store.ts'
import { needsOf, ownLabels, replyOf } from './about.ts'
import { CommandButton } from './command-button.tsx'
import { Person } from './person.tsx'

/** Who is at the counter, and the keys for it. */
export function CurrentPane({ acts }: { acts: Acts }) {
  const { desk } = acts
  const { view, notice, waiting, self } = useStore(desk)
  const { ticket, agent } = view!
  const isAway = agent.status === 'break' || agent.status === 'back_office'
  const chosen = selected(acts)
  const state = ticket ? stateOf(ticket) : null
  const label: MessageKey = state ? `ticket_status.${state}` : `agent_status.${agent.status}`
  return (
    <main className="pane current" data-state={state ?? (isAway ? 'away' : 'free')}>
      <h2>
        {agent.counter_name === null ? t('console.no_counter') : counterName(agent.counter_name)} · {t(label)}
        {agent.status === 'offline' && self.status_reason === 'connection_lost' && (
          <> · {t('agent_status_reason.connection_lost')}</>
        )}
      </h2>
      {ticket ? <Number ticket={ticket} acts={acts} /> : isAway ? <Away acts={acts} /> : <Next acts={acts} />}
      <p className="notice" role="status" data-kind={notice?.kind} data-notice={notice ? 'shown' : undefined}>
        {notice?.text ?? (acts.hindrance && t(acts.hindrance))}
      </p>
      <Buttons acts={acts} />
      {(chosen ?? ticket) && <Person key={(chosen ?? ticket)!.id} ticket={(chosen ?? ticket)!} acts={acts} />}
      {!ticket && !chosen && waiting.length === 0 && !isAway && <OtherLines acts={acts} />}
    </main>
  )
}

function Buttons({ acts }: { acts: Acts }) {
  const { ticket, agent } = acts.desk.state.view!
  if (agent.status === 'break' || agent.status === 'back_office')
    return (
      <p className="commands">
        <CommandButton acts={acts} command="pause" kind="primary">
          {t('console.come_back')}
        </CommandButton>
      </p>
    )
  if (!ticket)
    return (
      <p className="commands">
        <CommandButton acts={acts} command="next" kind="primary">
          {t('console.call_next')}
        </CommandButton>
        <CommandButton acts={acts} command="call" />
        <CommandButton acts={acts} command="pause" />
      </p>
    )
  const isCalled = ticket.status === TicketStatus.called
  return (
    <p className="commands">
      <CommandButton acts={acts} command="next" kind="primary" />
      {isCalled ? <CommandButton acts={acts} command="start" /> : <CommandButton acts={acts} command="finish" />}
      <CommandButton acts={acts} command="recall" />
      <CommandButton acts={acts} command="no_show" />
      <CommandButton acts={acts} command="transfer" />
      <CommandButton acts={acts} command="hold" />
    </p>
  )
}

function Number({ ticket, acts }: { ticket: Ticket; acts: Acts }) {
  const { catalogue } = acts.desk
  const since = ticket.status === TicketStatus.serving ? ticket.started_at : ticket.called_at
  const reply = ticket.status === TicketStatus.called ? replyOf(ticket) : null
  const waited = (Date.parse(ticket.called_at ?? ticket.created_at) - Date.parse(ticket.created_at)) / 1000
  const facts = [
    serviceName(catalogue, ticket.queue_id, currentLanguage()),
    ticket.language && t(`console.language_${ticket.language as 'fr' | 'en' | 'ar'}`),
    ticket.call_count > 1 && t('console.call_count', { count: ticket.call_count }),
    needsOf(ticket),
  ].filter(Boolean)
  return (
    <>
      <p className="number" data-current={ticket.number}>
        <LineBadge code={lineCode(catalogue, ticket.queue_id)} />
        <TicketNumber>{ticket.number}</TicketNumber>
      </p>
      <p className="facts">
        {facts.join(' · ')} · {t('console.waited')} <Code>{stopwatch(waited)}</Code> ·{' '}
        <strong>
          <Timer since={since} />
        </strong>
      </p>
      {reply && (
        <p className="reply" role="status" data-reply={reply.label}>
          <Icon name={reply.label === 'cannot_come' ? 'missed' : reply.label === 'needs_time' ? 'clock' : 'check'} />{' '}
          <bdi>{reply.text}</bdi>
        </p>
      )}
    </>
  )
}

/** Nobody at the counter: whom the key would bring, with language and needs, before the call. */
function Next({ acts }: { acts: Acts }) {
  const { waiting } = acts.desk.state
  const { catalogue } = acts.desk
  const [first] = waiting
  if (!first)
    return (
      <p className="number nobody-here">
        <Icon name="check" /> {t('console.nobody')}
      </p>
    )
  const facts = [
    serviceName(catalogue, first.queue_id, currentLanguage()),
    first.language && t(`console.language_${first.language as 'fr' | 'en' | 'ar'}`),
    needsOf(first),
    ...ownLabels(first),
  ].filter(Boolean)
  return (
    <>
      <p className="next-up muted">{t('console.next_up')}</p>
      <p className="number upcoming" data-upcoming={first.number}>
        <LineBadge code={lineCode(catalogue, first.queue_id)} />
        <TicketNumber>{first.number}</TicketNumber>
      </p>
      <p className="facts">
        {facts.join(' · ')} · {t('console.waited')} <Timer since={first.created_at} />
      </p>
    </>
  )
}

function Away({ acts }: { acts: Acts }) {
  const { self, view } = acts.desk.state
  const now = useSecond()
  const until = self.expected_return_at
  const isOverdue = until !== null && Date.parse(until) / 1000 < now
  return (
    <>
      <p className="number nobody-here">
        <Icon name="pause" /> {self.status_reason || t(`agent_status.${view!.agent.status}`)}
      </p>
      <p className="facts" data-overdue={isOverdue || undefined}>
        {until && (
          <>
            {isOverdue && <Icon name="alert" />}{' '}
            {t(isOverdue ? 'console.return_overdue' : 'console.return_at', {
              time: clockTime(until, acts.desk.catalogue.site.timezone),
            })}{' '}
            ·{' '}
          </>
        )}
        <Timer since={self.status_since} />
      </p>
    </>
  )
}

/** The agent's lines with nobody in them: how they stand. */
function OtherLines({ acts }: { acts: Acts }) {
  const { queues } = acts.desk.state.view!
  const closed = queues.filter(({ status }) => status !== 'open')
  if (closed.length === 0) return null
  return (
    <ul className="muted">
      {closed.map(({ id, status }) => (
        <li key={id}>
          {serviceName(acts.desk.catalogue, id, currentLanguage())} · {t(`queue_status.${status}`)}
        </li>
      ))}
    </ul>
  )
}
