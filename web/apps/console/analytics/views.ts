import { currentLanguage, t, type MessageKey } from '../../../ui/messages.ts'
import { weekdayName, type Reports, type SiteReports, type StaffingHour } from './data.ts'
import { shareText, type Cell, type Column, type Kind, type ReportData } from './figures.tsx'

/** What a report says in a sentence, and the rows of its chart, table and file. */
export interface Told {
  finding: string
  data: ReportData
}
/** What to call a thing of the organisation: its name in the reader's language. */
export type Namer = (key: string, name: string | null) => string

const column = (name: string, kind: Kind): Column => ({ label: t(`analytics.${name}` as MessageKey), kind })
const nothing = () => t('analytics.nothing')
const hourText = (hour: number) => `${hour}:00`
const most = <Row>(rows: readonly Row[], figure: (row: Row) => number): Row | undefined =>
  rows.toSorted((a, b) => figure(b) - figure(a))[0]

export function waitTold({ hours }: Reports['wait'], before: Reports['waitBefore']): Told {
  const earlier = new Map(before?.hours.map(({ hour, p50_wait_time }) => [hour, p50_wait_time]))
  const worst = most(hours, ({ p90_wait_time }) => p90_wait_time ?? 0)
  return {
    finding: !worst?.p90_wait_time
      ? nothing()
      : t('analytics.wait_finding', { hour: worst.hour, minutes: Math.round(worst.p90_wait_time / 60) }),
    data: {
      columns: [
        column('hour', 'text'),
        column('p50', 'seconds'),
        column('p90', 'seconds'),
        ...(before ? [column('p50_before', 'seconds')] : []),
      ],
      rows: hours.map(({ hour, p50_wait_time, p90_wait_time }) => ({
        key: String(hour),
        cells: [hourText(hour), p50_wait_time, p90_wait_time, ...(before ? [earlier.get(hour) ?? null] : [])],
      })),
    },
  }
}

/** Of those who came in each hour: how many, and how many of them were served. */
export function volumeTold({ hours }: Reports['wait']): Told {
  const busiest = most(hours, ({ total_customers }) => total_customers)
  return {
    finding: busiest
      ? t('analytics.volume_finding', {
          hour: busiest.hour,
          count: busiest.total_customers,
          served: busiest.served,
        })
      : nothing(),
    data: {
      columns: [column('hour', 'text'), column('taken', 'count'), column('served', 'count')],
      rows: hours.map(({ hour, total_customers, served }) => ({
        key: String(hour),
        cells: [hourText(hour), total_customers, served],
      })),
    },
  }
}

export function heatTold({ cells }: Reports['heat']): Told {
  const busiest = most(cells, ({ total_customers }) => total_customers)
  return {
    finding: busiest
      ? t('analytics.heat_finding', {
          day: weekdayName(busiest.weekday, currentLanguage()),
          hour: busiest.hour,
          count: busiest.total_customers,
        })
      : nothing(),
    data: {
      columns: [column('weekday', 'text'), column('hour', 'text'), column('people', 'count'), column('p90', 'seconds')],
      rows: cells.map(({ weekday, hour, total_customers, p90_wait_time }) => ({
        key: `${weekday}-${hour}`,
        cells: [weekdayName(weekday, currentLanguage()), hourText(hour), total_customers, p90_wait_time],
      })),
    },
  }
}

const STEPS = ['joined', 'called', 'came', 'served', 'rated'] as const
export function funnelTold(funnel: Reports['funnel']): Told {
  const share = (value: number) => (funnel.joined === 0 ? null : value / funnel.joined)
  return {
    finding:
      funnel.joined === 0 ? nothing() : t('analytics.funnel_finding', { share: shareText(share(funnel.served)) }),
    data: {
      columns: [column('step', 'text'), column('people', 'count'), column('share', 'share')],
      rows: STEPS.map((name) => ({
        key: name,
        cells: [t(`analytics.step_${name}`), funnel[name], share(funnel[name])],
      })),
    },
  }
}

/** @param found null where there are too many lines */
export function staffingTold(found: readonly StaffingHour[] | null): Told {
  const hours = found ?? []
  const short = hours.filter(({ needed, planned }) => planned < needed).length
  return {
    finding:
      hours.length === 0
        ? t(found ? 'analytics.staffing_none' : 'analytics.staffing_choose')
        : hours.every(({ planned }) => planned === 0)
          ? t('analytics.staffing_unplanned', { count: Math.max(...hours.map(({ needed }) => needed)) })
          : short > 0
            ? t('analytics.staffing_short', { count: short })
            : t('analytics.staffing_enough'),
    data: {
      columns: [column('half_hour', 'text'), column('needed', 'count'), column('planned', 'count')],
      rows: hours.map(({ from, needed, planned }) => ({ key: from, cells: [from, needed, planned] })),
    },
  }
}

/** Services, channels and counters side by side, those with the most people first. */
export function groupsTold(first: string, found: Reports['services'] | null, nameOf: Namer): Told {
  const sorted = (found?.groups ?? []).toSorted((a, b) => b.total_customers - a.total_customers)
  const top = sorted[0]
  return {
    finding: top ? t('analytics.most', { name: nameOf(top.key, top.name) }) : nothing(),
    data: {
      columns: [
        column(first, 'text'),
        column('people', 'count'),
        column('served', 'count'),
        column('p50', 'seconds'),
        column('p90', 'seconds'),
        column('within_goal', 'share'),
        column('abandoned', 'count'),
        column('no_shows', 'count'),
      ],
      rows: sorted.map((each) => ({
        key: each.key,
        cells: [
          nameOf(each.key, each.name),
          each.total_customers,
          each.served,
          each.p50_wait_time,
          each.p90_wait_time,
          each.within_goal,
          each.abandoned,
          each.no_shows,
        ] as Cell[],
      })),
    },
  }
}

export function agentsTold({ agents }: Reports['agents'], occupancy: SiteReports['occupancy']): Told {
  const busy = new Map(occupancy?.agents.map((each) => [each.agent_id, each.occupancy]))
  const sorted = agents.toSorted((a, b) => b.served - a.served)
  return {
    finding: sorted[0] ? t('analytics.most', { name: sorted[0].name ?? '–' }) : nothing(),
    data: {
      columns: [
        column('agent', 'text'),
        column('called', 'count'),
        column('served', 'count'),
        column('no_shows', 'count'),
        column('service_p50', 'seconds'),
        column('service_p90', 'seconds'),
        ...(occupancy ? [column('occupancy', 'share')] : []),
        column('rating', 'rating'),
      ],
      rows: sorted.map((each) => ({
        key: String(each.agent_id),
        cells: [
          each.name ?? '–',
          each.called,
          each.served,
          each.no_shows,
          each.p50_service_time,
          each.p90_service_time,
          ...(occupancy ? [busy.get(each.agent_id) ?? null] : []),
          each.average_rating,
        ],
      })),
    },
  }
}

export function accuracyTold({ groups, within_promise }: Reports['accuracy'], nameOf: Namer): Told {
  return {
    finding:
      within_promise === null ? nothing() : t('analytics.accuracy_finding', { share: shareText(within_promise) }),
    data: {
      columns: [
        column('service', 'text'),
        column('promised', 'count'),
        column('within_promise', 'share'),
        column('inside', 'share'),
        column('error', 'seconds'),
      ],
      // Where nobody was told anything there is nothing to judge.
      rows: groups
        .filter(({ promised }) => promised > 0)
        .map((each) => ({
          key: each.key,
          cells: [
            nameOf(each.key, each.name),
            each.promised,
            each.within_promise,
            each.coverage,
            each.mean_absolute_error_seconds,
          ],
        })),
    },
  }
}
