import { memo, useRef, useState, type FormEvent, type KeyboardEvent } from 'react'
import { ticketsList } from '../../../data/operations.ts'
import { counterName, stopwatch, ticketCode } from '../../../ui/format.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { Code, Icon, LineBadge, TicketNumber } from '../../../ui/parts/react.ts'
import type { Acts } from './state/acts.ts'
import { lineCode, serviceName, type Catalogue } from '../state/catalogue.ts'
import { useSecond } from '../state/clock.ts'
import { stateOf } from './state/desk.ts'
import type { WaitingTicket } from './state/line.ts'
import { useStore } from '../state/store.ts'
import { needsOf, ownLabels } from './about.ts'
import { useWindow } from './virtual.ts'

const ROW_HEIGHT = 36
const plain = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

/** Who waits, in the order of calls; thousands are as quick as ten, because only what is in sight is drawn. */
export function QueuePane({ acts }: { acts: Acts }) {
  const { desk } = acts
  const { waiting, waitingCount, selectedId, view } = useStore(desk)
  const [wanted, setWanted] = useState('')
  const [elsewhere, setElsewhere] = useState('')
  const needle = plain(wanted)
  const shown = needle ? waiting.filter(({ number }) => plain(number).includes(needle)) : waiting
  const scroller = useRef<HTMLDivElement>(null)
  const { from, to, onScroll } = useWindow(scroller, shown.length, ROW_HEIGHT)

  async function find(event: FormEvent) {
    event.preventDefault()
    const [first] = shown
    setElsewhere('')
    if (first) {
      desk.select(first.id)
      setWanted('')
      return (document.activeElement as HTMLElement | null)?.blur()
    }
    const found = await desk
      .run(ticketsList, { site: desk.catalogue.site.id, q: wanted.trim(), limit: 1 })
      .catch(() => null)
    const ticket = found?.results[0]
    const place =
      ticket && (counterName(ticket.counter_name) || serviceName(desk.catalogue, ticket.queue_id, currentLanguage()))
    setElsewhere(
      ticket
        ? `\u2066${ticketCode(ticket.number)}\u2069 · ${t(`ticket_status.${stateOf(ticket)}`)} · ${place ?? ''}`
        : t('console.not_found', { number: wanted.trim() }),
    )
  }
  function move(event: KeyboardEvent) {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step === 0 || shown.length === 0) return
    event.preventDefault()
    const at = shown.findIndex(({ id }) => id === selectedId)
    const next = Math.max(0, Math.min(shown.length - 1, at + step))
    desk.select(shown[next]!.id)
    scroller.current?.scrollTo({ top: Math.max(0, (next - 3) * ROW_HEIGHT) })
  }

  return (
    <section className="pane queue" aria-labelledby="queue-title">
      <h2 id="queue-title">
        {t('console.queue')} ·{' '}
        <span data-waiting={waitingCount}>{t('console.waiting_count', { count: waitingCount })}</span>
      </h2>
      <form className="find" role="search" onSubmit={(event) => void find(event)}>
        <Icon name="search" />
        <input
          id="find"
          value={wanted}
          placeholder={t('console.find')}
          aria-label={t('console.find')}
          onChange={(event) => {
            setWanted(event.target.value)
            setElsewhere('')
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return
            setWanted('')
            event.currentTarget.blur()
          }}
        />
        <kbd className="key" aria-hidden="true">
          /
        </kbd>
      </form>
      {elsewhere && (
        <p className="muted found" role="status">
          {elsewhere}
        </p>
      )}
      <div
        className="scroller"
        ref={scroller}
        onScroll={onScroll}
        onKeyDown={move}
        tabIndex={0}
        role="group"
        aria-labelledby="queue-title"
      >
        {shown.length === 0 ? (
          <p className="muted nobody">{needle ? t('console.not_found', { number: wanted }) : t('console.nobody')}</p>
        ) : (
          <ol className="rows" style={{ blockSize: shown.length * ROW_HEIGHT }}>
            {shown.slice(from, to).map((ticket, index) => (
              <Row
                key={ticket.id}
                ticket={ticket}
                place={from + index}
                count={shown.length}
                isSelected={ticket.id === selectedId}
                acts={acts}
                target={desk.state.self.max_wait_seconds}
              />
            ))}
          </ol>
        )}
      </div>
      {Boolean(view?.held.length) && (
        <div className="held">
          <h3>{t('console.held_count', { count: view!.held.length })}</h3>
          <ul className="row">
            {view!.held.map((ticket) => (
              <li key={ticket.id}>
                <button
                  type="button"
                  className="button"
                  data-kind="quiet"
                  data-held={ticket.number}
                  disabled={view!.ticket !== null || acts.hindrance !== null}
                  onClick={() => void acts.resume(ticket)}
                >
                  <Icon name="pause" /> <TicketNumber>{ticket.number}</TicketNumber>
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  )
}

interface RowProps {
  ticket: WaitingTicket
  place: number
  count: number
  isSelected: boolean
  acts: Acts
  target: number | null
}

const Row = memo(function Row({ ticket, place, count, isSelected, acts, target }: RowProps) {
  const { catalogue } = acts.desk
  return (
    <li
      className="waiting-row"
      style={{ insetBlockStart: place * ROW_HEIGHT }}
      aria-setsize={count}
      aria-posinset={place + 1}
      data-number={ticket.number}
    >
      <button type="button" aria-pressed={isSelected} onClick={() => acts.desk.select(isSelected ? null : ticket.id)}>
        <LineBadge code={lineCode(catalogue, ticket.queue_id)} />
        <TicketNumber>{ticket.number}</TicketNumber>
        <span className="what">{describe(ticket, catalogue)}</span>
        <Marks ticket={ticket} />
        <Wait since={ticket.created_at} target={target} />
      </button>
    </li>
  )
})

const describe = (ticket: WaitingTicket, catalogue: Catalogue): string =>
  ticket.channel === 'appointment' ? t('ui.booked') : serviceName(catalogue, ticket.queue_id, currentLanguage())

function Marks({ ticket }: { ticket: WaitingTicket }) {
  return (
    <>
      {ticket.needs.length > 0 && (
        <span className="mark" title={needsOf(ticket)}>
          <Icon name="person" />
          <span className="visually-hidden">{t('console.has_needs', { needs: needsOf(ticket) })}</span>
          <span aria-hidden="true"> {needsOf(ticket)}</span>
        </span>
      )}
      {ownLabels(ticket).length > 0 && <span className="mark">{ownLabels(ticket)[0]}</span>}
    </>
  )
}

/** Waited so far; amber near the promise, red beyond, with a sign beside the colour. */
function Wait({ since, target }: { since: string; target: number | null }) {
  const seconds = useSecond() - Date.parse(since) / 1000
  const level = target === null ? undefined : seconds > target ? 'over' : seconds > 0.8 * target ? 'near' : undefined
  return (
    <span className="wait" data-level={level}>
      {level && <Icon name="alert" />}
      <Code>{stopwatch(seconds)}</Code>
    </span>
  )
}
