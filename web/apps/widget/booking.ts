import { formatDuration } from '../../../shared/format.ts'
import { t } from '../../ui/messages.ts'
import { el } from './dom.ts'
import { failed, type Widget } from './widget.ts'

/** What can be booked; days and times are chosen on the site's own page, where the calendar is. */
export async function booking(widget: Widget): Promise<void> {
  const { server, language, show } = widget
  try {
    const { site, services } = await server.services()
    show(
      el('h2', {}, site.name),
      services.length === 0 && el('p', {}, t('widget.nothing_to_book')),
      el(
        'ul',
        {},
        ...services.map(({ service_id, name, names, duration_seconds }) =>
          el(
            'li',
            {},
            el(
              'div',
              {},
              el('strong', {}, names[language] ?? name),
              el('span', {}, formatDuration(duration_seconds, language)),
            ),
            el(
              'a',
              { class: 'button', href: server.bookingPage(service_id), target: '_blank', rel: 'noopener' },
              t('widget.book'),
            ),
          ),
        ),
      ),
    )
  } catch (error) {
    failed(widget, error, () => void booking(widget))
  }
}
