import { useState, type DragEvent } from 'react'
import type { SiteView } from '../../../../shared/views.ts'
import { stopwatch, ticketCode } from '../../../ui/format.ts'
import { t } from '../../../ui/messages.ts'
import { Code, TicketNumber } from '../../../ui/parts/react.ts'
import { useSecond } from '../state/clock.ts'
import type { FloorActs } from './acts.ts'

type Waiting = SiteView['lines'][number]['waiting'][number]

interface Props {
  acts: FloorActs
  waiting: readonly Waiting[]
  count: number
  chosen: ReadonlySet<number>
  onChoose(ids: ReadonlySet<number>): void
}

/** Who waits, in order. The order changes by the menu of a row as well as by dragging it. */
export function LineList({ acts, waiting, count, chosen, onChoose }: Props) {
  const now = useSecond()
  const [dragged, setDragged] = useState<number | null>(null)
  const [over, setOver] = useState<number | null>(null)
  const indexOf = (id: number | null) => waiting.findIndex((each) => each.id === id)

  function place(ticket: Waiting, to: number) {
    const from = indexOf(ticket.id)
    const rest = waiting.filter(({ id }) => id !== ticket.id)
    const at = Math.max(0, Math.min(rest.length, to))
    if (at === from) return
    void acts.move(ticket, rest[at - 1]?.id ?? null, waiting[from - 1]?.id ?? null)
  }
  function drop(event: DragEvent, target: Waiting) {
    event.preventDefault()
    const ticket = waiting[indexOf(dragged)]
    setDragged(null)
    setOver(null)
    if (ticket && ticket.id !== target.id) place(ticket, indexOf(target.id))
  }
  if (waiting.length === 0) return <p className="muted">{t('console.nobody')}</p>
  return (
    <ol className="line-list">
      {waiting.map((ticket, index) => (
        <li
          key={ticket.id}
          data-number={ticket.number}
          data-over={over === ticket.id || undefined}
          draggable
          onDragStart={(event) => {
            event.dataTransfer.effectAllowed = 'move'
            event.dataTransfer.setData('text/plain', ticket.number)
            setDragged(ticket.id)
          }}
          onDragOver={(event) => {
            if (dragged === null) return
            event.preventDefault()
            setOver(ticket.id)
          }}
          onDragEnd={() => {
            setDragged(null)
            setOver(null)
          }}
          onDrop={(event) => drop(event, ticket)}
        >
          <label className="line-choice">
            <input
              type="checkbox"
              checked={chosen.has(ticket.id)}
              onChange={(event) => {
                const next = new Set(chosen)
                if (event.target.checked) next.add(ticket.id)
                else next.delete(ticket.id)
                onChoose(next)
              }}
            />
            <TicketNumber>{ticket.number}</TicketNumber>
          </label>
          <span className="what muted">{t(`channel.${ticket.channel}` as 'channel.web')}</span>
          <Code>{stopwatch(now - Date.parse(ticket.created_at) / 1000)}</Code>
          <details className="row-menu" onToggle={closeOthers}>
            <summary
              className="button"
              data-kind="quiet"
              aria-label={t('floor.menu', { number: ticketCode(ticket.number) })}
            >
              ⋯
            </summary>
            <ul>
              {(
                [
                  ['first', 0],
                  ['up', index - 1],
                  ['down', index + 1],
                  ['last', waiting.length - 1],
                ] as const
              ).map(([name, to]) => (
                <li key={name}>
                  <button
                    type="button"
                    className="button"
                    data-kind="quiet"
                    data-move={name}
                    disabled={to < 0 || to >= waiting.length || to === index}
                    onClick={(event) => {
                      event.currentTarget.closest('details')!.open = false
                      place(ticket, to)
                    }}
                  >
                    {t(`floor.move_${name}`)}
                  </button>
                </li>
              ))}
            </ul>
          </details>
        </li>
      ))}
      {count > waiting.length && <li className="muted">{t('floor.more_wait', { count: count - waiting.length })}</li>}
    </ol>
  )
}

/** One menu at a time. */
function closeOthers(event: { currentTarget: HTMLDetailsElement }) {
  const own = event.currentTarget
  if (!own.open) return
  for (const other of document.querySelectorAll<HTMLDetailsElement>('.row-menu[open]'))
    if (other !== own) other.open = false
}
