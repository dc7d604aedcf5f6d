import type { JobContext } from '../../../kernel/jobs/index.ts'
import type { Operation, Tenant } from '../../../kernel/operation.ts'
import { systemActor } from '../../../kernel/access.ts'
import { translate } from '../../../kernel/i18n.ts'
import type { Locale } from '../../../kernel/schema.ts'
import type { Static } from 'typebox'
import { breakdown } from '../reports/breakdown.ts'
import type { Figures } from '../reports/figures.ts'
import { overview, waitOverDay } from '../reports/overview.ts'
import type { Period } from '../reports/period.ts'

/** A report as it is drawn: words and figures, already in the reader's language. */
export interface ReportText {
  title: string
  subtitle: string
  /** A headline and its rows; the first row is the head of the columns. */
  tables: { title: string; rows: string[][] }[]
  footer: string
}

type Shown = (typeof FIGURES)[number]
/** What stands in the first table, in this order. */
const FIGURES = [
  'arrivals',
  'served',
  'no_shows',
  'abandoned',
  'average_wait_time',
  'p50_wait_time',
  'p90_wait_time',
  'average_service_time',
  'within_goal',
  'within_promise',
  'average_rating',
] as const
/** What each group has in the tables below. */
const BRIEF = ['total_customers', 'served', 'average_wait_time', 'p90_wait_time', 'within_goal'] as const

const NOTHING = '–'
const SHARES: ReadonlySet<string> = new Set(['within_goal', 'within_promise'])

/** `12 min 05 s`, in the signs of the reader's language. */
function duration(locale: Locale, seconds: number): string {
  const whole = Math.round(seconds)
  return translate(locale, 'reports.duration', {
    minutes: Math.floor(whole / 60),
    seconds: String(whole % 60).padStart(2, '0'),
  })
}
function shown(locale: Locale, name: string, value: number | null): string {
  if (value === null) return NOTHING
  const number = (options: Intl.NumberFormatOptions = {}) =>
    new Intl.NumberFormat(`${locale}-u-nu-latn`, options).format(value)
  if (SHARES.has(name)) return number({ style: 'percent', maximumFractionDigits: 1 })
  if (name.endsWith('_time')) return duration(locale, value)
  return number({ maximumFractionDigits: 1 })
}

/** Reads the figures of a period and puts them into words. */
export async function reportText(
  { runtime }: Pick<JobContext, 'runtime'>,
  tenant: Tenant,
  report: { name: string; site: string | null; site_id: number | null; locale: Locale },
  period: Period,
): Promise<ReportText> {
  const { locale } = report
  const t = (key: string, params: Record<string, string | number> = {}) =>
    translate(locale, `reports.${key}`, params, tenant.locale)
  const place = report.site_id === null ? {} : { site_id: report.site_id }
  const ask = async <Op extends Operation>(op: Op, input: object): Promise<Static<Op['output']>> => {
    const { output } = await runtime.execute(op, {
      actor: systemActor(tenant.id),
      tenant,
      locale,
      input: { ...period, ...place, ...input },
    })
    return output as Static<Op['output']>
  }
  const [whole, services, hours] = await Promise.all([
    ask(overview, {}),
    ask(breakdown, { by: 'service' }),
    ask(waitOverDay, {}),
  ])
  const brief = (figures: Figures) => BRIEF.map((name) => shown(locale, name, figures[name]))
  const head = (first: string) => [first, ...BRIEF.map((name) => t(name))]
  return {
    title: report.name,
    subtitle: t('subtitle', { place: report.site ?? tenant.name, from: period.from, to: period.to }),
    tables: [
      {
        title: t('whole'),
        rows: [
          ['', t('this_period'), t('period_before')],
          ...FIGURES.map((name: Shown) => [
            t(name),
            shown(locale, name, whole.current[name]),
            shown(locale, name, whole.previous[name]),
          ]),
        ],
      },
      {
        title: t('by_service'),
        rows: [head(t('service')), ...services.groups.map((group) => [group.name ?? group.key, ...brief(group)])],
      },
      {
        title: t('by_hour'),
        rows: [
          head(t('hour')),
          ...hours.hours.map((hour) => [`${String(hour.hour).padStart(2, '0')}:00`, ...brief(hour)]),
        ],
      },
      { title: t('by_day'), rows: [head(t('day')), ...whole.by_day.map((day) => [day.date, ...brief(day)])] },
    ],
    footer: t('footer'),
  }
}
