import { ticketCode } from '../../../shared/format.ts'
import { lineOf, SHAPES } from '../../../shared/line.ts'
import { STATES, type StateName } from '../../../shared/state-table.ts'
import { ICONS, type IconName } from '../icons.ts'
import { t } from '../messages.ts'

type Properties = Record<string, unknown> | null
/** What Preact's `h` and React's `createElement` have in common. */
type Create<Node> = (tag: string, properties: Properties, ...children: (Node | string | null)[]) => Node

/** The small parts that every app draws alike, made for one framework. Classes are those of base.css. */
export function createParts<Node>(create: Create<Node>) {
  /** A line's letter in its shape and colour. With `label` it is read aloud, else it is decoration beside its name. */
  const LineBadge = ({ code, label }: { code: string; label?: string }): Node => {
    const line = lineOf(code)
    const { path, y, size } = SHAPES[line]
    const letters = code
      .replace(/[^A-Za-z]/g, '')
      .slice(0, 2)
      .toUpperCase()
    return create(
      'svg',
      {
        className: 'badge',
        viewBox: '0 0 32 32',
        'data-line': line,
        ...(label === undefined ? { 'aria-hidden': 'true' } : { role: 'img', 'aria-label': label }),
      },
      create('path', { className: line === 'h' ? 'badge-hole' : 'badge-shape', d: path }),
      create(
        'text',
        // Scaled, because the frameworks spell the attribute of a size differently.
        {
          className: 'badge-letter',
          transform: `translate(16 ${y}) scale(${(letters.length > 1 ? 0.7 : 1) * (size / 16)})`,
        },
        letters,
      ),
    )
  }

  /** Decoration: a word always stands beside it. */
  const Icon = ({ name }: { name: IconName }): Node => {
    const icon: { path: string; mirror?: boolean } = ICONS[name]
    return create(
      'svg',
      { className: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true', ...(icon.mirror && { 'data-mirror': 'true' }) },
      create('path', { d: icon.path }),
    )
  }

  /** A state as colour, icon and word. */
  const StateLabel = ({ state }: { state: StateName }): Node => {
    const { token, icon, label } = STATES[state]
    return create('span', { className: 'state', 'data-token': token }, Icon({ name: icon }), t(label))
  }

  /** A code or a time: left to right in every language. */
  const Code = ({ children }: { children: string }): Node => create('bdi', { className: 'code', dir: 'ltr' }, children)
  /** A ticket's number, the same on phone, wall and desk: `A-042`. */
  const TicketNumber = ({ children }: { children: string }): Node => Code({ children: ticketCode(children) })

  /** Why what is shown may be old. Nothing while it is fresh. `time`: clock time of what is shown. */
  const StaleBanner = ({ kind, time }: { kind: 'offline' | 'stale' | null; time: string }): Node | null =>
    kind === null
      ? null
      : create(
          'p',
          { className: 'banner', role: 'status', 'data-stale': kind },
          Icon({ name: 'offline' }),
          ` ${t(kind === 'offline' ? 'ui.offline' : 'ui.stale', { time })}`,
        )

  return { LineBadge, Icon, StateLabel, Code, TicketNumber, StaleBanner }
}
