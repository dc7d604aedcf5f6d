import { formatDurationRange, formatTime } from '../../../shared/format.ts'
import type { TicketsSitePage } from '../../data/operations.ts'
import { t } from '../../ui/messages.ts'
import { el } from './dom.ts'
import { Refused } from './server.ts'
import { failed, remember, type Widget } from './widget.ts'

/** What can be taken now, and one press to take it. */
export async function join(widget: Widget, refusal = ''): Promise<void> {
  const { server, language, show } = widget
  try {
    const site = await server.lines()
    const lines = site.lines.map((line) => lineOf(widget, line))
    const opens =
      site.opens_at && t('widget.opens_at', { time: formatTime(site.opens_at, site.site.timezone, language) })
    show(
      el('h2', {}, site.site.name),
      ...(refusal ? [el('p', { class: 'refusal', role: 'alert' }, refusal)] : []),
      ...(site.is_open ? [] : [el('p', {}, t('widget.closed'), ' ', opens || '')]),
      el('ul', {}, ...lines),
    )
  } catch (error) {
    failed(widget, error, () => widget.join())
  }
}

function lineOf(widget: Widget, line: TicketsSitePage['lines'][number]): HTMLElement {
  const { language, server } = widget
  const name = line.names[language] ?? line.name
  const { eta_low_seconds: low, eta_high_seconds: high } = line
  const wait =
    low === null || high === null
      ? t('widget.waiting', { count: line.waiting })
      : t('widget.wait', { range: formatDurationRange(low, high, language) })
  const isOpen = line.status === 'open' || line.status === 'closing'
  const button = el('button', { type: 'button', click: () => void take() }, t('widget.take'))
  async function take() {
    button.toggleAttribute('disabled', true)
    try {
      const { public_token } = await server.take(line.id)
      remember(widget.memory, public_token)
      widget.status(public_token)
    } catch (error) {
      // What a widget cannot do, such as the work that is asked of a crowd, the site's own page can.
      if (error instanceof Refused && error.code === 'challenge_required') location.assign(server.page)
      else widget.join(error instanceof Refused && error.message ? error.message : t('widget.failed'))
    }
  }
  return el(
    'li',
    {},
    el('div', {}, el('strong', {}, name), el('span', {}, isOpen ? wait : t('widget.closed'))),
    isOpen && button,
  )
}
