import type { Language } from '../../../../shared/format.ts'
import {
  agentHoursList,
  analyticsAccuracy,
  analyticsAgents,
  analyticsBreakdown,
  analyticsFunnel,
  analyticsHeatmap,
  analyticsOccupancy,
  analyticsOverview,
  analyticsWaitOverDay,
  agentsList,
  queuesList,
  queuesStaffingRequirements,
  type AnalyticsAccuracy,
  type AnalyticsAgents,
  type AnalyticsBreakdown,
  type AnalyticsFunnel,
  type AnalyticsHeatmap,
  type AnalyticsOccupancy,
  type AnalyticsOverview,
  type AnalyticsWaitOverDay,
  type TicketsGet,
} from '../../../data/operations.ts'
import type { Shell } from '../shell/shell.ts'

/** What the address asks for: local days, and what narrows the figures. */
export interface Wanted {
  from: string
  to: string
  site_id?: number
  service_id?: number
  queue_id?: number
  channel?: TicketsGet['channel']
  agent_id?: number
}
export interface Reports {
  overview: AnalyticsOverview
  wait: AnalyticsWaitOverDay
  /** Of as many days before; only where it is compared. */
  waitBefore: AnalyticsWaitOverDay | null
  heat: AnalyticsHeatmap
  funnel: AnalyticsFunnel
  services: AnalyticsBreakdown
  channels: AnalyticsBreakdown
  agents: AnalyticsAgents
  accuracy: AnalyticsAccuracy
}

/** Their names, in the order of the page. */
export const REPORTS = [
  'overview',
  'wait',
  'waitBefore',
  'heat',
  'funnel',
  'services',
  'channels',
  'agents',
  'accuracy',
] as const satisfies readonly (keyof Reports)[]

/** Every report of one view, asked at once; each is there when its answer is. */
export function askReports(
  shell: Shell,
  wanted: Wanted,
  isCompared: boolean,
): { [Name in keyof Reports]: Promise<Reports[Name]> } {
  return {
    overview: shell.run(analyticsOverview, wanted),
    wait: shell.run(analyticsWaitOverDay, wanted),
    waitBefore: isCompared
      ? shell.run(analyticsWaitOverDay, { ...wanted, ...moved(wanted.from, wanted.to, -1) })
      : Promise.resolve(null),
    heat: shell.run(analyticsHeatmap, wanted),
    funnel: shell.run(analyticsFunnel, wanted),
    services: shell.run(analyticsBreakdown, { ...wanted, by: 'service' }),
    channels: shell.run(analyticsBreakdown, { ...wanted, by: 'channel' }),
    agents: shell.run(analyticsAgents, wanted),
    accuracy: shell.run(analyticsAccuracy, { ...wanted, by: 'service' }),
  }
}

export interface SiteReports {
  /** Counters of several sites have the same names. */
  counters: AnalyticsBreakdown | null
  occupancy: AnalyticsOccupancy | null
}
/** What is told of one site only; nothing of several. */
export function askSite(shell: Shell, wanted: Wanted, siteId: number | undefined) {
  const { from, to } = wanted
  const none = Promise.resolve(null)
  return {
    counters: siteId ? shell.run(analyticsBreakdown, { ...wanted, site_id: siteId, by: 'counter' }) : none,
    occupancy: siteId ? shell.run(analyticsOccupancy, { from, to, site_id: siteId }) : none,
  } satisfies { [Name in keyof SiteReports]: Promise<SiteReports[Name]> }
}

const DAY_MS = 86_400_000
const shift = (day: string, days: number) => new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10)
const daysOf = (from: string, to: string) => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1
/** The period so many of its lengths later. */
export function moved(from: string, to: string, times: number) {
  const days = daysOf(from, to) * times
  return { from: shift(from, days), to: shift(to, days) }
}
/** So many days up to `to`. */
export const lastDays = (to: string, days: number) => ({ from: shift(to, 1 - days), to })

export interface StaffingHour {
  from: string
  needed: number
  planned: number
}

/** Lines whose need is added up on a page; there are more where a whole chain is looked at. */
const MOST_LINES = 20

/**
 * Counters that each half hour of a day needs, of all lines asked for, beside the people whose hours cover it.
 * @returns null where there are too many lines to ask about
 */
export async function loadStaffing(
  shell: Shell,
  date: string,
  { site_id, service_id, queue_id }: Pick<Wanted, 'site_id' | 'service_id' | 'queue_id'>,
): Promise<StaffingHour[] | null> {
  const place = site_id ? { site: site_id } : {}
  const lines = await allOf((cursor) => shell.run(queuesList, { limit: 200, ...place, ...cursor }))
  const own = lines.filter(
    (line) => (!queue_id || line.id === queue_id) && (!service_id || line.service_id === service_id),
  )
  if (own.length > MOST_LINES) return null
  const [people, hours] = await Promise.all([
    allOf((cursor) => shell.run(agentsList, { limit: 200, is_active: true, ...place, ...cursor })),
    allOf((cursor) => shell.run(agentHoursList, { limit: 200, ...cursor })),
  ])
  const needs = await Promise.all(
    own.map(({ id, goal_seconds, goal_percent }) => {
      const goal = { within_seconds: goal_seconds, share: Math.min(0.999, Math.max(0.01, goal_percent / 100)) }
      return shell.run(queuesStaffingRequirements, { id, date, ...goal })
    }),
  )
  const ids = new Set(own.map(({ id }) => id))
  const serving = new Set(
    people.filter(({ queues }) => queues.some((each) => ids.has(each.queue_id))).map(({ id }) => id),
  )
  const weekday = String(new Date(`${date}T12:00:00Z`).getUTCDay() || 7) as '1'
  const shifts = hours
    .filter(({ agent_id }) => serving.has(agent_id))
    .map(({ hours: own_ }) => {
      const exception = own_.exceptions?.find((each) => each.date === date)
      return (exception?.intervals ?? own_.weekly[weekday] ?? []) as unknown as [string, string][]
    })
  return (needs[0]?.half_hours ?? [])
    .map(({ from }, index) => ({
      from,
      needed: needs.reduce((sum, { half_hours }) => sum + (half_hours[index]?.required ?? 0), 0),
      planned: shifts.filter((intervals) => intervals.some(([start, end]) => start <= from && from < end)).length,
    }))
    .filter(({ needed, planned }) => needed > 0 || planned > 0)
}

/** Every row of a list that is short by nature. */
async function allOf<Row>(
  page: (cursor: { cursor?: string }) => Promise<{ results: Row[]; next: string | null }>,
): Promise<Row[]> {
  const rows: Row[] = []
  for (let cursor: string | null | undefined; cursor !== null;) {
    const { results, next } = await page(cursor ? { cursor } : {})
    rows.push(...results)
    cursor = next
  }
  return rows
}

const EVERY = ['2024-01-01', '2024-01-02', '2024-01-03', '2024-01-04', '2024-01-05', '2024-01-06', '2024-01-07']
/** Short names of the days, Monday first. */
export const weekdayName = (weekday: number, language: Language): string =>
  new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' }).format(Date.parse(EVERY[weekday - 1]!))
