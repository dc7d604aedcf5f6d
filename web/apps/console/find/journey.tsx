import { useEffect, useState } from 'react'
import { ticketStatusName } from '../../../../shared/ticket-status.ts'
import {
  ticketsEvents,
  ticketsExplain,
  ticketsGet,
  type TicketsEvents,
  type TicketsExplain,
  type TicketsGet,
} from '../../../data/operations.ts'
import { clockTime, day, waitRange } from '../../../ui/format.ts'
import { currentLanguage, t, type MessageKey } from '../../../ui/messages.ts'
import { Code, Icon, StateLabel, TicketNumber } from '../../../ui/parts/react.ts'
import { setSearch } from '../shell/router.ts'
import type { Shell } from '../shell/shell.ts'
import { loadCatalogue, serviceName, type Catalogue } from '../state/catalogue.ts'

interface Found {
  ticket: TicketsGet
  events: TicketsEvents['results']
  /** Of who waits: why at this place. */
  explained: TicketsExplain | null
  catalogue: Catalogue
}

async function read(shell: Shell, id: number): Promise<Found> {
  const [ticket, { results: events }] = await Promise.all([
    shell.run(ticketsGet, { id }),
    shell.run(ticketsEvents, { id }),
  ])
  const isWaiting = ticketStatusName(ticket.status) === 'waiting'
  const [catalogue, explained] = await Promise.all([
    loadCatalogue(shell.tenant, ticket.site_id),
    isWaiting ? shell.run(ticketsExplain, { id }) : null,
  ])
  return { ticket, events, explained, catalogue }
}

/** One visit from the first number on: what happened, when, and who did it. */
export function Journey({ shell, ticketId }: { shell: Shell; ticketId: number }) {
  const [found, setFound] = useState<Found | null>(null)
  useEffect(() => {
    let isWanted = true
    read(shell, ticketId).then((answer) => isWanted && setFound(answer), shell.refuse)
    return () => void (isWanted = false)
  }, [shell, ticketId])
  if (!found) return <p role="status">{t('ui.loading')}</p>
  const { ticket, events, explained, catalogue } = found
  const zone = catalogue.site.timezone
  return (
    <section className="journey" aria-labelledby="journey-title" data-journey={ticket.number}>
      <header className="row">
        <h2 id="journey-title">
          <TicketNumber>{ticket.number}</TicketNumber>
        </h2>
        <StateLabel state={ticketStatusName(ticket.status)} />
        <button
          type="button"
          className="button"
          data-kind="quiet"
          aria-label={t('find.close')}
          onClick={() => setSearch({ ticket: null })}
        >
          <Icon name="cross" />
        </button>
      </header>
      <p>
        {serviceName(catalogue, ticket.queue_id, currentLanguage())} · <bdi>{catalogue.site.name}</bdi> ·{' '}
        {day(ticket.created_at, zone)} · {t(`channel.${ticket.channel}`)}
      </p>
      {explained && (
        <p className="place">
          {explained.text}
          {ticket.eta_low_seconds !== null && ticket.eta_high_seconds !== null && (
            <> {waitRange(ticket.eta_low_seconds, ticket.eta_high_seconds)}</>
          )}
        </p>
      )}
      <ol className="steps">
        {events.map((event) => (
          <li key={event.offset} data-step={event.type}>
            <Code>{clockTime(event.at, zone)}</Code>
            <span>
              {STEPS[event.type] ? t(STEPS[event.type]!) : <Code>{event.type}</Code>}
              <Details event={event} catalogue={catalogue} />
            </span>
          </li>
        ))}
      </ol>
      {ticket.note && (
        <p>
          {t('find.note')} <bdi>{ticket.note}</bdi>
        </p>
      )}
    </section>
  )
}

const STEPS: Readonly<Record<string, MessageKey>> = {
  'ticket.created': 'find.step_created',
  'ticket.called': 'find.step_called',
  'ticket.recalled': 'find.step_recalled',
  'ticket.started': 'find.step_started',
  'ticket.held': 'find.step_held',
  'ticket.resumed': 'find.step_resumed',
  'ticket.completed': 'find.step_completed',
  'ticket.no_show': 'find.step_no_show',
  'ticket.returned': 'find.step_returned',
  'ticket.transferred': 'find.step_transferred',
  'ticket.cancelled': 'find.step_cancelled',
  'ticket.delayed': 'find.step_delayed',
  'ticket.moved': 'find.step_moved',
  'ticket.expired': 'find.step_expired',
  'ticket.undone': 'find.step_undone',
  'ticket.updated': 'find.step_updated',
  'ticket.rated': 'find.step_rated',
  'ticket.erased': 'find.step_erased',
}

/** To which line, by whom, and the reason a person gave. */
function Details({ event, catalogue }: { event: TicketsEvents['results'][number]; catalogue: Catalogue }) {
  const isElsewhere = event.queue_id !== null && event.type === 'ticket.transferred'
  const parts = [
    isElsewhere && serviceName(catalogue, event.queue_id!, currentLanguage()),
    catalogue.agents.find(({ id }) => id === event.agent_id)?.name,
    event.by !== 'system' && event.reason,
  ].filter(Boolean)
  return parts.length > 0 && <bdi className="muted">{parts.join(' · ')}</bdi>
}
