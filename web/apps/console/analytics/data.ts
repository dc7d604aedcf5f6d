import type { Language } from '../../../../shared/format.ts'
import {
  agentHoursList,
  analyticsAccuracy,
  analyticsAgents,
  analyticsBreakdown,
  analyticsFunnel,
  analyticsHeatmap,
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
  type AnalyticsOverview,
  type AnalyticsWaitOverDay,
} from '../../../data/operations.ts'
import type { Shell } from '../shell/shell.ts'

/** What the address asks for: local days, and what narrows the figures. */
export interface Wanted {
  from?: string
  to?: string
  site_id?: number
  service_id?: number
  queue_id?: number
}
export interface Reports {
  overview: AnalyticsOverview
  wait: AnalyticsWaitOverDay
  /** Of as many days before; only where it is compared. */
  waitBefore: AnalyticsWaitOverDay | null
  heat: AnalyticsHeatmap
  funnel: AnalyticsFunnel
  services: AnalyticsBreakdown
  queues: AnalyticsBreakdown
  channels: AnalyticsBreakdown
  agents: AnalyticsAgents
  accuracy: AnalyticsAccuracy
}

/** All reports of one view, asked at once. */
export async function loadReports(shell: Shell, wanted: Wanted, isCompared: boolean): Promise<Reports> {
  const overview = shell.run(analyticsOverview, wanted)
  const before = async () => {
    const { from, to } = await overview
    return shell.run(analyticsWaitOverDay, { ...wanted, ...periodBefore(from, to) })
  }
  const [first, wait, waitBefore, heat, funnel, services, queues, channels, agents, accuracy] = await Promise.all([
    overview,
    shell.run(analyticsWaitOverDay, wanted),
    isCompared ? before() : null,
    shell.run(analyticsHeatmap, wanted),
    shell.run(analyticsFunnel, wanted),
    shell.run(analyticsBreakdown, { ...wanted, by: 'service' }),
    shell.run(analyticsBreakdown, { ...wanted, by: 'queue' }),
    shell.run(analyticsBreakdown, { ...wanted, by: 'channel' }),
    shell.run(analyticsAgents, wanted),
    shell.run(analyticsAccuracy, { ...wanted, by: 'service' }),
  ])
  return { overview: first, wait, waitBefore, heat, funnel, services, queues, channels, agents, accuracy }
}

const DAY_MS = 86_400_000
const shift = (day: string, days: number) => new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10)
const daysOf = (from: string, to: string) => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1
/** As many days just before. */
const periodBefore = (from: string, to: string) => moved(from, to, -1)
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

/** Counters that each half hour of a day needs, of all lines asked for, beside the people whose hours cover it. */
export async function loadStaffing(
  shell: Shell,
  date: string,
  { site_id, service_id, queue_id }: Wanted,
): Promise<StaffingHour[]> {
  const [lines, people, hours] = await Promise.all([
    shell.run(queuesList, { limit: 200, ...(site_id && { site: site_id }) }),
    shell.run(agentsList, { limit: 200, is_active: true, ...(site_id && { site: site_id }) }),
    shell.run(agentHoursList, { limit: 200 }),
  ])
  const own = lines.results.filter(
    (line) => (!queue_id || line.id === queue_id) && (!service_id || line.service_id === service_id),
  )
  const needs = await Promise.all(
    own.slice(0, 20).map(({ id, goal_seconds, goal_percent }) => {
      const goal = { within_seconds: goal_seconds, share: Math.min(0.999, Math.max(0.01, goal_percent / 100)) }
      return shell.run(queuesStaffingRequirements, { id, date, ...goal })
    }),
  )
  const ids = new Set(own.map(({ id }) => id))
  const serving = new Set(
    people.results.filter(({ queues }) => queues.some((each) => ids.has(each.queue_id))).map(({ id }) => id),
  )
  const weekday = String(new Date(`${date}T12:00:00Z`).getUTCDay() || 7) as '1'
  const shifts = hours.results
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

const EVERY = ['2024-01-01', '2024-01-02', '2024-01-03', '2024-01-04', '2024-01-05', '2024-01-06', '2024-01-07']
/** Short names of the days, Monday first. */
export const weekdayName = (weekday: number, language: Language): string =>
  new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' }).format(Date.parse(EVERY[weekday - 1]!))
