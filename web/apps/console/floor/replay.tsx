import { useEffect, useMemo, useState } from 'react'
import { DayReplay } from '../../../../shared/day-replay.ts'
import type { SiteEvent, SiteView } from '../../../../shared/views.ts'
import { sitesReplay } from '../../../data/operations.ts'
import { clockTime, counterName, ticketCode } from '../../../ui/format.ts'
import { currentLanguage, t, type MessageKey } from '../../../ui/messages.ts'
import { Code, Icon, LineBadge, TicketNumber } from '../../../ui/parts/react.ts'
import { setSearch } from '../shell/router.ts'
import { lineCode, serviceName } from '../state/catalogue.ts'
import type { Floor } from './model.ts'

interface Day {
  day: string
  begins_at: string
  ends_at: string
  events: SiteEvent[]
}

/** The day again, as its boards saw it: who was called when, by the same reducer as the live screens. */
export function Replay({ floor, day }: { floor: Floor; day: string }) {
  const { shell, siteId, state } = floor
  const [found, setFound] = useState<Day | null>(null)
  const [count, setCount] = useState<number | null>(null)
  const isReady = state.view !== null
  useEffect(() => {
    let isWanted = true
    setFound(null)
    setCount(null)
    void (async () => {
      const events: SiteEvent[] = []
      let page
      do {
        const after = events.at(-1)?.offset
        page = await shell.run(sitesReplay, { id: siteId, ...(day && { day }), ...(after && { after }) })
        events.push(...(page.events as unknown as SiteEvent[]))
      } while (page.has_more && isWanted)
      if (isWanted) setFound({ day: page.day, begins_at: page.begins_at, ends_at: page.ends_at, events })
    })().catch(shell.refuse)
    return () => void (isWanted = false)
  }, [shell, siteId, day])
  const replay = useMemo(
    () => (found && isReady ? new DayReplay(floor.state.view!, found.events) : null),
    [found, isReady, floor],
  )
  const zone = state.floor?.site.timezone ?? shell.timeZone
  const total = replay?.events.length ?? 0
  const at = count ?? total
  const view = replay?.at(at)
  const event = replay?.events[at - 1]
  return (
    <section className="replay" aria-labelledby="replay-title" data-at={view?.offset}>
      <header className="row">
        <h2 id="replay-title">{t('floor.replay')}</h2>
        <input
          type="date"
          aria-label={t('floor.day')}
          value={day || (found?.day ?? '')}
          onChange={(change) => setSearch({ replay: change.target.value || 'today' }, { isReplacing: true })}
        />
        <button type="button" className="button" onClick={() => setSearch({ replay: null })}>
          {t('floor.live')}
        </button>
      </header>
      {!replay ? (
        <p role="status">{t('ui.loading')}</p>
      ) : total === 0 ? (
        <p className="muted">{t('floor.no_events')}</p>
      ) : (
        <>
          <div className="scrub">
            <button
              type="button"
              className="button"
              aria-label={t('floor.step_back')}
              disabled={at === 0}
              onClick={() => setCount(at - 1)}
            >
              <Icon name="back" />
            </button>
            <input
              type="range"
              min={0}
              max={total}
              value={at}
              aria-label={t('floor.moment')}
              aria-valuetext={event ? clockTime(event.at, zone) : ''}
              onChange={(change) => setCount(Number(change.target.value))}
            />
            <button
              type="button"
              className="button"
              aria-label={t('floor.step_on')}
              disabled={at === total}
              onClick={() => setCount(at + 1)}
            >
              <Icon name="next" />
            </button>
            <Code>{event ? clockTime(event.at, zone) : '–'}</Code>
          </div>
          <p role="status" className="replay-event">
            {event ? describe(event) : t('floor.day_begins')}
          </p>
          {view && <Lines floor={floor} view={view} />}
        </>
      )}
    </section>
  )
}

const KNOWN = new Set([
  'created',
  'called',
  'recalled',
  'started',
  'held',
  'resumed',
  'completed',
  'no_show',
  'returned',
  'transferred',
  'cancelled',
  'delayed',
  'moved',
  'expired',
  'undone',
  'updated',
])
function describe(event: SiteEvent): string {
  const [noun, what] = event.type.split('.')
  if (noun === 'ticket' && event.ticket && KNOWN.has(what!))
    return t(`floor.event_${what}` as MessageKey, {
      number: ticketCode(event.ticket.number),
      counter: counterName(event.ticket.counter_name) || '–',
    })
  return t(event.agent ? 'floor.event_agent' : 'floor.event_other', { name: event.agent?.name ?? '' })
}

function Lines({ floor, view }: { floor: Floor; view: SiteView }) {
  const { catalogue } = floor.state
  if (!catalogue) return null
  return (
    <ul className="replay-lines">
      {view.lines.map((line) => (
        <li key={line.queue.id} data-replay-queue={line.queue.id} data-waiting={line.waiting_count}>
          <h3>
            <LineBadge code={lineCode(catalogue, line.queue.id)} />{' '}
            {serviceName(catalogue, line.queue.id, currentLanguage())}
          </h3>
          <p className="muted">{t('console.waiting_count', { count: line.waiting_count })}</p>
          <ul className="row">
            {line.called.map((ticket) => (
              <li key={ticket.id} className="at-counter">
                <TicketNumber>{ticket.number}</TicketNumber> {counterName(ticket.counter_name)}
              </li>
            ))}
          </ul>
          <p className="row">
            {line.waiting.slice(0, 12).map((ticket) => (
              <TicketNumber key={ticket.id}>{ticket.number}</TicketNumber>
            ))}
          </p>
        </li>
      ))}
    </ul>
  )
}
