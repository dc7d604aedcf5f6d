import { useEffect, useRef, useState } from 'preact/hooks'
import { TicketStatus } from '../../../shared/ticket-status.ts'
import type { TicketView } from '../../../shared/views.ts'
import { call, Problem } from '../../data/api.ts'
import type { Freshness } from '../../data/live.ts'
import {
  ticketsAnswerTomorrow,
  ticketsErase,
  ticketsHere,
  ticketsLeave,
  ticketsMine,
  ticketsPostpone,
  ticketsRate,
  ticketsReply,
  ticketsStay,
  ticketsTakeUpPlace,
  type TicketsTakeUpPlace,
} from '../../data/operations.ts'
import { announce } from '../../ui/announce.ts'
import { counterName, ticketCode, waitRange } from '../../ui/format.ts'
import { currentLanguage, t, type MessageKey } from '../../ui/messages.ts'
import type { Act, Fields, Mine } from './data.ts'
import { keepTicket, keptTicket, forgetTicket } from './kept.ts'
import { Ring } from './ring.ts'
import type { TicketFrame } from './watch.ts'

/** Why more people stand ahead than before. */
interface Reason {
  key: `reason_${string}`
  service?: string
}
export interface TicketState {
  mine: Mine
  freshness: Freshness
  /** The server's time of what is shown. */
  asOf: string
  /** The server's time now, in milliseconds. */
  now: number
  reason: Reason | null
  refusal: string | undefined
  /** How many stood ahead when the page was opened. */
  firstAhead: number
  ring: Ring
  perform(act: Act, fields: Fields): void
}

/** What others did that lets somebody stand before me. */
const REASONS: Record<string, Reason['key']> = {
  'ticket.returned': 'reason_returned',
  'ticket.moved': 'reason_moved',
  'ticket.transferred': 'reason_transferred',
  'ticket.created': 'reason_priority',
  'ticket.delayed': 'reason_own',
}
/** What the ticket's own frames do not carry is read again after these, at most this often. */
const AFFECTS = /^(?:agent|queue)\./
const REREAD_MS = 3000
/** Less is not worth a word to somebody who listens. */
const SAID_SECONDS = 120

/** The ticket as the server wrote it, then live; what was known last when there is no network. */
export function useTicket(token: string, first: Mine, writtenAt: string, refused: string | undefined): TicketState {
  const [mine, setMine] = useState(first)
  const [asOf, setAsOf] = useState(writtenAt)
  const [freshness, setFreshness] = useState<Freshness>('fresh')
  const [reason, setReason] = useState<Reason | null>(first.is_transferred ? newLine(first) : null)
  const [refusal, setRefusal] = useState(refused)
  const [firstAhead, setFirstAhead] = useState(first.ticket.ahead ?? 0)
  const ring = useRef<Ring>(null)
  ring.current ??= new Ring()
  // What callbacks of the connection see, which were made once.
  const latest = useRef({ mine: first, said: first.ticket, skewMs: 0 })
  const now = useClock(latest.current, Date.parse(writtenAt))

  const serverTime = () => new Date(Date.now() + latest.current.skewMs).toISOString()

  function take(next: Mine, at: string): void {
    const before = latest.current.mine
    latest.current.mine = next
    setMine(next)
    setAsOf(at)
    keepTicket(token, next, at)
    document.title = titleOf(next)
    speak(next, latest.current)
    if (next.ticket.status === TicketStatus.called && isNewCall(before, next)) ring.current!.call()
    if (next.ticket.status !== TicketStatus.waiting) setReason(null)
    setFirstAhead((known) => Math.max(known, next.ticket.ahead ?? 0))
  }

  async function read(): Promise<void> {
    try {
      const next = await call(ticketsMine, { token })
      if (next.offset >= latest.current.mine.offset) take(next, serverTime())
    } catch (error) {
      if (error instanceof Problem && error.status === 404) location.reload()
    }
  }

  useEffect(() => {
    const kept = keptTicket(token)
    // A page from the cache is older than what was heard since it was written.
    if (kept && kept.at > writtenAt) take(kept.mine, kept.at)
    else latest.current.skewMs = Date.parse(writtenAt) - Date.now()
    document.title = titleOf(latest.current.mine)
    let pending: ReturnType<typeof setTimeout> | undefined
    const reread = (soonMs: number) => {
      pending ??= setTimeout(() => {
        pending = undefined
        if (document.visibilityState === 'visible') void read()
      }, soonMs)
    }
    const onView = (view: TicketView, event: TicketFrame | null) => {
      const before = latest.current.mine
      const isOwn = view.ticket.status !== before.ticket.status || view.ticket.queue_id !== before.ticket.queue_id
      const grown = (view.ticket.ahead ?? 0) - (before.ticket.ahead ?? 0)
      if (view.ticket.status === TicketStatus.waiting && before.ticket.status === TicketStatus.waiting) {
        if (grown > 0) setReason({ key: (event && REASONS[event.type]) || 'reason_other' })
        else if (grown < 0) setReason((known) => (known?.key === 'reason_new_line' ? known : null))
      }
      take({ ...before, ...view }, event?.at ?? serverTime())
      if (isOwn || event === null) void read().then(() => isOwn && setReason(lineChange(before, latest.current.mine)))
      else if (AFFECTS.test(event.type) || jump(before, latest.current.mine) >= SAID_SECONDS)
        reread(REREAD_MS * (0.5 + Math.random()))
    }
    let isOver = false
    let stop = () => {}
    // The page is written as of now and can be used: what keeps it fresh comes after it.
    import('./watch.ts').then(
      ({ watchTicket }) => {
        if (!isOver) stop = watchTicket(token, { onView, onFreshness: setFreshness })
      },
      () => setFreshness(navigator.onLine === false ? 'offline' : 'stale'),
    )
    const shown = () => {
      if (document.visibilityState === 'visible') void read()
    }
    document.addEventListener('visibilitychange', shown)
    return () => {
      clearTimeout(pending)
      document.removeEventListener('visibilitychange', shown)
      isOver = true
      stop()
    }
  }, [token])

  async function send(act: Act, fields: Fields): Promise<void> {
    setRefusal(undefined)
    if (navigator.onLine === false) return setRefusal(t('visitor.act_offline'))
    try {
      const answer = await perform(act, token, fields)
      if (act === 'tomorrow_here') {
        const { ticket } = answer as TicketsTakeUpPlace
        return location.assign(`/t/${ticket.public_token}/?lang=${currentLanguage()}`)
      }
      if (act === 'erase') {
        forgetTicket(token)
        const { tenant_slug, site_slug } = latest.current.mine
        location.replace(`/site/${tenant_slug}/${site_slug}?lang=${currentLanguage()}&erased=1`)
        return
      }
      await read()
      if (act === 'delay') setReason({ key: 'reason_own' })
    } catch (error) {
      const problem = error as Problem
      setRefusal(problem.status === 0 ? t('visitor.act_offline') : problem.message)
    }
  }

  return {
    mine,
    freshness,
    asOf,
    now,
    reason,
    refusal,
    firstAhead,
    ring: ring.current,
    perform: (act, fields) => void send(act, fields),
  }
}

function perform(act: Act, token: string, fields: Fields): Promise<unknown> {
  switch (act) {
    case 'here':
      return call(ticketsHere, { token })
    case 'delay':
      return call(ticketsPostpone, {
        token,
        ...(fields['places'] ? { places: Number(fields['places']) } : { minutes: Number(fields['minutes']) }),
      })
    case 'leave':
      return call(ticketsLeave, { token })
    case 'undo':
      return call(ticketsStay, { token })
    case 'reply':
      return call(ticketsReply, { token, reply: fields['reply'] as NonNullable<Mine['reply']> })
    case 'rate':
      return call(ticketsRate, {
        token,
        rating: Number(fields['rating']),
        ...(fields['comment'] && { comment: fields['comment'] }),
      })
    case 'erase':
      return call(ticketsErase, { token })
    case 'tomorrow':
      return call(ticketsAnswerTomorrow, { token, answer: fields['answer'] as 'accept' | 'decline' })
    case 'tomorrow_here':
      return call(ticketsTakeUpPlace, { token })
  }
}

const newLine = (mine: Mine): Reason => ({
  key: 'reason_new_line',
  service: mine.service_names[currentLanguage()] ?? mine.service_name,
})
const lineChange = (before: Mine, next: Mine): Reason | null =>
  next.ticket.queue_id !== before.ticket.queue_id ? newLine(next) : null
/** By how much the far end of the estimate has moved, seconds. */
const jump = (before: Pick<Mine, 'ticket'>, next: Pick<Mine, 'ticket'>) =>
  Math.abs((next.ticket.eta_high_seconds ?? 0) - (before.ticket.eta_high_seconds ?? 0))
const isNewCall = (before: Mine, next: Mine) =>
  before.ticket.status !== TicketStatus.called || before.ticket.call_count < next.ticket.call_count

function titleOf({ ticket }: Mine): string {
  const code = ticketCode(ticket.number)
  return ticket.status === TicketStatus.called && ticket.counter_name
    ? `${code} → ${counterName(ticket.counter_name)}`
    : code
}

/** For those who listen: the call at once, and else only what matters. */
function speak(next: Mine, latest: { said: Mine['ticket'] }): void {
  const { ticket } = next
  const { said } = latest
  if (ticket.status === TicketStatus.called) {
    if (said.status === TicketStatus.called && said.call_count >= ticket.call_count) return
    const counter = counterName(ticket.counter_name)
    announce(t('visitor.says_called', { number: ticketCode(ticket.number), counter }), 'assertive')
  } else if (ticket.status === TicketStatus.waiting) {
    const moved = jump({ ticket: said }, next)
    if (said.status === ticket.status && said.ahead === ticket.ahead && moved < SAID_SECONDS) return
    const ahead = t('visitor.ahead' as MessageKey, { count: ticket.ahead ?? 0 })
    announce(`${ahead}. ${waitRange(ticket.eta_low_seconds, ticket.eta_high_seconds)}`)
  }
  latest.said = ticket
}

/** The server's time in milliseconds, second by second. */
function useClock(latest: { skewMs: number }, first: number): number {
  const [now, setNow] = useState(first)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() + latest.skewMs), 1000)
    return () => clearInterval(timer)
  }, [])
  return now
}
