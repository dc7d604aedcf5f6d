import { formatDurationRange, ticketCode } from '../../../shared/format.ts'
import { TicketStatus, ticketStatusName } from '../../../shared/ticket-status.ts'
import type { TicketsMine } from '../../data/operations.ts'
import { t } from '../../ui/messages.ts'
import { el } from './dom.ts'
import { Refused } from './server.ts'
import { failed, remember, type Widget } from './widget.ts'

const EVERY_MS = 5000
/** Nobody looks: the call comes by the ticket's own page, message or wall. */
const HIDDEN_MS = 30_000

/** The own ticket as it stands, until it is over. */
export async function status(widget: Widget, token: string): Promise<void> {
  const { server, show } = widget
  let last = ''
  for (;;) {
    try {
      const mine = await server.mine(token)
      const said = JSON.stringify([mine.ticket, mine.queue_status])
      // What has not changed is not read out again.
      if (said !== last) show(...contentOf(widget, token, mine))
      last = said
      if (mine.ticket.ended_at !== null) return remember(widget.memory, null)
    } catch (error) {
      if (error instanceof Refused && error.code === 'not_found') {
        remember(widget.memory, null)
        return widget.join()
      }
      if (last === '') return failed(widget, error, () => widget.status(token))
    }
    await new Promise((resolve) => setTimeout(resolve, document.hidden ? HIDDEN_MS : EVERY_MS))
  }
}

function contentOf(widget: Widget, token: string, { ticket, site_name, service_name }: TicketsMine): HTMLElement[] {
  const { server, language } = widget
  const isOver = ticket.ended_at !== null
  const { eta_low_seconds: low, eta_high_seconds: high, ahead } = ticket
  const isWaiting = ticket.status === TicketStatus.waiting
  const isCalled = ticket.status === TicketStatus.called
  const text = isCalled
    ? t('widget.called', { counter: ticket.counter_name ?? '' })
    : isWaiting
      ? t('widget.ahead', { count: ahead ?? 0 })
      : t(`ticket_status.${ticketStatusName(ticket.status)}`)
  return [
    el('p', {}, `${service_name}, ${site_name}`),
    el(
      'p',
      { class: isCalled ? 'number called' : 'number' },
      el('span', {}, t('widget.your_number')),
      ' ',
      el('bdi', {}, ticketCode(ticket.number)),
    ),
    el('p', { class: 'state' }, text),
    ...(isWaiting && low !== null && high !== null
      ? [el('p', {}, t('widget.wait', { range: formatDurationRange(low, high, language) }))]
      : []),
    isOver
      ? el('button', { type: 'button', click: () => widget.join() }, t('widget.take'))
      : el('a', { href: server.ticketPage(token), target: '_blank', rel: 'noopener' }, t('widget.open_ticket')),
  ]
}
