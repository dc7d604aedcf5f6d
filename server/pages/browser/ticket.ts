import { LiveClient } from '../../../shared/live-client.ts'
import { ticketStatusName } from '../../../shared/ticket-status.ts'
import { applyTicketView, type TicketView, type VisitorTicket } from '../../../shared/views.ts'
import { data, element, liveUrl, make, showStatus, text, wait, type PageData } from './page.ts'

interface TicketData extends PageData {
  token: string
}
const { token } = data<TicketData>()

function show({ ticket }: TicketView): void {
  const state = ticketStatusName(ticket.status)
  document.title = `${ticket.number} · ${text(`ticket_status.${state}`)}`
  element('number').textContent = ticket.number
  element('state').textContent = text(`ticket_status.${state}`)
  element('card').className = state === 'called' ? 'card called' : 'card'
  element('facts').replaceChildren(...facts(ticket, state))
  element('here').hidden = state !== 'no_show'
  element('delay').hidden = element('cancel').hidden = state !== 'waiting'
  element('undo').hidden = state !== 'cancelled'
}

function facts(ticket: VisitorTicket, state: string): HTMLElement[] {
  if (state === 'waiting') {
    return [
      make('p', 'figure', text('page.people_ahead', { count: ticket.ahead ?? 0 })),
      make('p', 'muted', `${text('page.expected_wait')}: ${wait(ticket.eta_low_seconds, ticket.eta_high_seconds)}`),
    ]
  }
  if (state === 'called') {
    return [
      make('p', 'figure', text('page.called_title')),
      make('p', 'figure', text('page.go_to_counter', { counter: ticket.counter_name ?? '' })),
    ]
  }
  const notes: Record<string, string> = {
    serving: 'page.being_served',
    held: 'page.held_note',
    completed: 'page.done_note',
    cancelled: 'page.cancelled_note',
    expired: 'page.expired_note',
  }
  return notes[state] ? [make('p', '', text(notes[state]))] : []
}

const bodies: Record<string, object> = { here: {}, delay: { places: 1 }, cancel: {}, undo: {} }
for (const [verb, body] of Object.entries(bodies)) {
  element(verb).addEventListener('click', async () => {
    const response = await fetch(`/t/${token}/${verb}/`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': crypto.randomUUID(),
        'accept-language': document.documentElement.lang,
      },
      body: JSON.stringify(body),
    })
    const refusal = response.ok ? '' : ((await response.json()) as { title: string }).title
    element('problem').textContent = refusal
    element('problem').hidden = refusal === ''
  })
}

new LiveClient({
  address: () => ({ url: liveUrl(`/ws/tickets/${token}/`) }),
  WebSocket,
  reduce: applyTicketView,
  onChange: show,
  onStatus: showStatus,
  heartbeatSeconds: 5,
})
