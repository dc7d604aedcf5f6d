import { formatTime, type Language } from '../../../shared/format.ts'
import { estimateWait } from '../../../shared/eta.ts'
import { paceOf } from '../../../shared/board.ts'
import type { Call, Display } from '../../../shared/views.ts'
import type { Freshness } from '../../data/live.ts'
import type { DisplaysScreen } from '../../data/operations.ts'
import { waitRange } from '../../ui/format.ts'
import type { Announcement } from './announcer.ts'
import type { PairingCode } from '../../data/pairing.ts'

/** Everything that is drawn. */
export interface Model {
  pairing: PairingCode | null
  /** The link or the pairing was ended. */
  isSentAway: boolean
  screen: DisplaysScreen | null
  view: Display | null
  freshness: Freshness
  announcement: Announcement | null
  isSoundLocked: boolean
  now: number
}
export const START: Model = {
  pairing: null,
  isSentAway: false,
  screen: null,
  view: null,
  freshness: 'fresh',
  announcement: null,
  isSoundLocked: false,
  now: 0,
}

/** Rows as high as the rule for reading at six metres fit so many times. */
const MOST_ROWS = 6

/** Languages of the board, in the order they are shown. */
export const languagesOf = (screen: DisplaysScreen | null): Language[] =>
  screen?.display.settings.languages ?? ['fr', 'ar', 'en']

/** For the narrow column of a row. */
export const counterShort = (name: string | null): string => /(\d+)\s*$/.exec(name ?? '')?.[1] ?? name ?? ''

/** Made once per zone: it costs more than all the rest of a drawing. */
let days: { timezone: string; format: Intl.DateTimeFormat } | undefined
function dayOf(instant: number, timezone: string): string {
  if (days?.timezone !== timezone) days = { timezone, format: new Intl.DateTimeFormat('en-CA', { timeZone: timezone }) }
  return days.format.format(instant)
}

/** Calls that the later view knows and the earlier one did not, in the order they were made. */
export function callsSince({ recent }: Display, later: Display): Call[] {
  const fresh = later.recent.filter(
    ({ ticket_id, at }) =>
      (recent.length === 0 || at >= recent[0]!.at) &&
      !recent.some((known) => known.ticket_id === ticket_id && known.at === at),
  )
  return fresh.reverse()
}

/** Earlier calls of today, newest first: each ticket once, without the one on the stage. */
export function recentCalls({ screen, view, announcement, now }: Model): Call[] {
  if (!screen || !view) return []
  const { timezone } = screen.site
  const today = dayOf(now, timezone)
  const shown = new Set(announcement ? [announcement.call.ticket_id] : [])
  const rows = view.recent.filter((call) => {
    if (shown.has(call.ticket_id) || dayOf(Date.parse(call.at), timezone) !== today) return false
    shown.add(call.ticket_id)
    return true
  })
  const most = screen.display.settings.layout === 'single_call' ? 0 : (screen.display.settings.max_calls ?? MOST_ROWS)
  return rows.slice(0, Math.min(most, MOST_ROWS))
}

export interface LineWait {
  id: number
  code: string
  waiting: number
  range: string
}
/** Per line: how long a newcomer waits and how many do. */
export function lineWaits({ screen, view }: Model, language: Language): LineWait[] {
  if (!screen || !view) return []
  return screen.queues.flatMap(({ id, code }) => {
    const queue = view.queues.find((each) => each.id === id)
    if (!queue || queue.status === 'closed') return []
    const agents = view.agents.filter(({ queue_ids }) => queue_ids.indexOf(id) >= 0)
    const { eta_low_seconds, eta_high_seconds } = estimateWait({
      ...paceOf(agents),
      ahead: queue.waiting_count,
      service_seconds: queue.service_seconds,
    })
    const isKnown = eta_low_seconds !== null && eta_high_seconds !== null
    const range = isKnown ? waitRange(eta_low_seconds, eta_high_seconds, language) : ''
    return [{ id, code, waiting: queue.waiting_count, range }]
  })
}

/** What the house shows now: the items of this day and hour take turns by the clock, so that all walls of a house show the same. */
export function mediaNow({ screen, now }: Pick<Model, 'screen' | 'now'>): DisplaysScreen['media'][number] | null {
  if (!screen) return null
  const { timezone } = screen.site
  const time = formatTime(new Date(now).toISOString(), timezone, 'en')
  const weekday = weekdayOf(now, timezone)
  const items = screen.media.filter(
    ({ weekdays, from, until }) =>
      (!weekdays || weekdays.indexOf(weekday) >= 0) &&
      (from === undefined || until === undefined || isBetween(time, from, until)),
  )
  const all = items.reduce((sum, { seconds }) => sum + seconds, 0)
  let second = Math.floor(now / 1000) % Math.max(1, all)
  for (const item of items) {
    if (second < item.seconds) return item
    second -= item.seconds
  }
  return null
}
/** ISO: 1 is Monday. */
const weekdayOf = (instant: number, timezone: string): number =>
  new Date(`${dayOf(instant, timezone)}T12:00Z`).getUTCDay() || 7

/** Nobody is served and nobody is awaited. */
export const isClosed = ({ view }: Model): boolean =>
  view !== null &&
  view.queues.length > 0 &&
  view.called.length === 0 &&
  view.queues.every(({ status, waiting_count }) => status === 'closed' && waiting_count === 0)

/** 0 to 1: nothing where the house asked for silence, now or of this kind of sound. */
export function volumeOf({ screen, now }: Pick<Model, 'screen' | 'now'>, kind: 'chime' | 'voice' = 'chime'): number {
  if (!screen) return 0
  const { volume_percent = 80, volume_hours = [], quiet_hours: quiet } = screen.display.settings
  if (screen.display.settings[kind] === false) return 0
  const time = formatTime(new Date(now).toISOString(), screen.site.timezone, 'en')
  const isQuiet = quiet && isBetween(time, quiet.from, quiet.until)
  const own = volume_hours.filter(({ from, until }) => isBetween(time, from, until))[0]
  return isQuiet ? 0 : (own ? own.volume_percent : volume_percent) / 100
}

/** Of two clock times of a day, the later of which may come first: a night passes midnight. */
const isBetween = (time: string, from: string, until: string): boolean =>
  from <= until ? from <= time && time < until : from <= time || time < until
