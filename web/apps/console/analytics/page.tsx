import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { sitesList, servicesList, type ServicesGet, type SitesGet } from '../../../data/operations.ts'
import { currentLanguage, t, type MessageKey } from '../../../ui/messages.ts'
import { setSearch, usePlace } from '../shell/router.ts'
import { useCommands, type PageProps } from '../shell/shell.ts'
import { serverNow } from '../state/clock.ts'
import './analytics.css'
import {
  lastDays,
  loadReports,
  loadStaffing,
  moved,
  weekdayName,
  type Reports,
  type StaffingHour,
  type Wanted,
} from './data.ts'
import { Heat } from './heat.tsx'
import { Headline } from './headline.tsx'
import { Report, shareText, type Cell, type Column, type Kind, type ReportData } from './report.tsx'

const WaitBand = lazy(() => import('./charts.tsx').then((charts) => ({ default: charts.WaitBand })))
const NeedAndPlan = lazy(() => import('./charts.tsx').then((charts) => ({ default: charts.NeedAndPlan })))
const Funnel = lazy(() => import('./charts.tsx').then((charts) => ({ default: charts.Funnel })))

const column = (name: string, kind: Kind): Column => ({ label: t(`analytics.${name}` as MessageKey), kind })
const numberOf = (text: string | null) => (text === null ? undefined : Number(text) || undefined)

/** What a period was like, on one page; the address says which one, and opens the same view again. */
export default function AnalyticsPage({ shell }: PageProps) {
  const { search } = usePlace()
  const [reports, setReports] = useState<Reports | null>(null)
  const [staffing, setStaffing] = useState<StaffingHour[] | null>(null)
  const [sites, setSites] = useState<readonly SitesGet[]>([])
  const [services, setServices] = useState<readonly ServicesGet[]>([])
  const isCompared = search.get('compare') === '1'
  const tables = new Set((search.get('tables') ?? '').split(',').filter(Boolean))
  const asked = ['from', 'to', 'site', 'service', 'queue'].map((name) => search.get(name) ?? '').join('|')
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: shell.timeZone }).format(serverNow())
  const staffingDay = search.get('day') ?? today

  function wanted(): Wanted {
    const [from, to] = [search.get('from'), search.get('to')]
    const [site_id, service_id, queue_id] = ['site', 'service', 'queue'].map((name) => numberOf(search.get(name)))
    return {
      ...(from && { from }),
      ...(to && { to }),
      ...(site_id && { site_id }),
      ...(service_id && { service_id }),
      ...(queue_id && { queue_id }),
    }
  }
  useEffect(() => {
    let isWanted = true
    loadReports(shell, wanted(), isCompared).then((found) => isWanted && setReports(found), shell.refuse)
    return () => void (isWanted = false)
    // oxlint-disable-next-line react/exhaustive-deps -- `asked` is what `wanted` reads
  }, [shell, asked, isCompared])
  useEffect(() => {
    let isWanted = true
    loadStaffing(shell, staffingDay, wanted()).then((found) => isWanted && setStaffing(found), shell.refuse)
    return () => void (isWanted = false)
    // oxlint-disable-next-line react/exhaustive-deps -- `asked` is what `wanted` reads
  }, [shell, asked, staffingDay])
  useEffect(() => {
    shell.run(sitesList, { limit: 200 }).then(({ results }) => setSites(results), shell.refuse)
    shell.run(servicesList, { limit: 200 }).then(({ results }) => setServices(results), shell.refuse)
  }, [shell])

  const period = reports && { from: reports.overview.from, to: reports.overview.to }
  const go = (times: number) => period && setSearch(moved(period.from, period.to, times))
  const all = ['wait', 'heat', 'funnel', 'staffing']
  const setTables = (names: Iterable<string>) =>
    setSearch({ tables: [...names].join(',') || null }, { isReplacing: true })
  useCommands(shell, [
    { id: 'before', key: '[', label: t('analytics.before'), run: () => go(-1) },
    { id: 'after', key: ']', label: t('analytics.after'), run: () => go(1) },
    { id: 'tables', key: 't', label: t('analytics.as_table'), run: () => setTables(tables.size > 0 ? [] : all) },
    {
      id: 'compare',
      key: 'v',
      label: t('analytics.compare'),
      run: () => setSearch({ compare: isCompared ? null : '1' }),
    },
  ])
  if (!reports || !period)
    return (
      <main className="gate">
        <p role="status">{t('ui.loading')}</p>
      </main>
    )
  const { wait, waitBefore, heat, funnel, channels, agents, accuracy } = reports
  const report = (
    id: string,
    finding: string,
    data: ReportData,
    chart?: (label: string) => ReactNode,
    onPick?: (key: string) => void,
  ) => (
    <Report
      key={id}
      id={id}
      title={t(`analytics.${id}` as MessageKey)}
      finding={finding}
      data={data}
      isTable={tables.has(id)}
      onTable={(isTable) => setTables(isTable ? [...tables, id] : [...tables].filter((each) => each !== id))}
      onPick={onPick}
      {...(chart && { chart: <Suspense fallback={<p role="status">{t('ui.loading')}</p>}>{chart(finding)}</Suspense> })}
    />
  )

  const beforeAt = new Map(waitBefore?.hours.map(({ hour, p50_wait_time }) => [hour, p50_wait_time]))
  const waitData: ReportData = {
    columns: [
      column('hour', 'text'),
      column('p50', 'seconds'),
      column('p90', 'seconds'),
      ...(waitBefore ? [column('p50_before', 'seconds')] : []),
    ],
    rows: wait.hours.map(({ hour, p50_wait_time, p90_wait_time }) => ({
      key: String(hour),
      cells: [`${hour}:00`, p50_wait_time, p90_wait_time, ...(waitBefore ? [beforeAt.get(hour) ?? null] : [])],
    })),
  }
  const worst = wait.hours.toSorted((a, b) => (b.p90_wait_time ?? 0) - (a.p90_wait_time ?? 0))[0]
  const heatData: ReportData = {
    columns: [column('weekday', 'text'), column('hour', 'text'), column('people', 'count'), column('p90', 'seconds')],
    rows: heat.cells.map(({ weekday, hour, total_customers, p90_wait_time }) => ({
      key: `${weekday}-${hour}`,
      cells: [weekdayName(weekday, currentLanguage()), `${hour}:00`, total_customers, p90_wait_time],
    })),
  }
  const busiest = heat.cells.toSorted((a, b) => b.total_customers - a.total_customers)[0]
  const steps = ['joined', 'called', 'came', 'served', 'rated'] as const
  const share = (value: number) => (funnel.joined === 0 ? null : value / funnel.joined)
  const funnelData: ReportData = {
    columns: [column('step', 'text'), column('people', 'count'), column('share', 'share')],
    rows: steps.map((name) => ({ key: name, cells: [t(`analytics.step_${name}`), funnel[name], share(funnel[name])] })),
  }
  const staffingData: ReportData = {
    columns: [column('half_hour', 'text'), column('needed', 'count'), column('planned', 'count')],
    rows: (staffing ?? []).map(({ from, needed, planned }) => ({ key: from, cells: [from, needed, planned] })),
  }
  const short = (staffing ?? []).filter(({ needed, planned }) => planned < needed).length
  const groupColumns = (first: string) => [
    column(first, 'text'),
    column('people', 'count'),
    column('served', 'count'),
    column('p50', 'seconds'),
    column('p90', 'seconds'),
    column('within_goal', 'share'),
    column('abandoned', 'count'),
    column('no_shows', 'count'),
  ]
  const groupsOf = ({ groups }: Reports['services'], nameOf: (key: string, name: string | null) => string) =>
    groups
      .toSorted((a, b) => b.total_customers - a.total_customers)
      .map((each) => ({
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
      }))
  const serviceOf = (key: string, name: string | null) => {
    const service = services.find(({ id }) => String(id) === key)
    return service?.names[currentLanguage()] ?? service?.name ?? name ?? key
  }
  const first = <Group extends { total_customers: number; name: string | null; key: string }>(
    groups: readonly Group[],
  ) => groups.toSorted((a, b) => b.total_customers - a.total_customers)[0]
  const topService = first(reports.services.groups)
  const topChannel = first(channels.groups)
  const topAgent = agents.agents.toSorted((a, b) => b.served - a.served)[0]

  return (
    <main className="analytics" data-from={period.from} data-to={period.to}>
      <header className="analytics-head">
        <h1>{t('console.page_analytics')}</h1>
        <div className="row filters">
          {[7, 28, 90].map((days) => {
            const { from, to } = lastDays(today, days)
            return (
              <button
                key={days}
                type="button"
                className="button"
                aria-pressed={period.from === from && period.to === to}
                data-days={days}
                onClick={() => setSearch({ from, to })}
              >
                {t('analytics.last_days', { count: days })}
              </button>
            )
          })}
          {(['from', 'to'] as const).map((name) => (
            <input
              key={name}
              type="date"
              aria-label={t(`analytics.${name}`)}
              value={period[name]}
              onChange={(event) => event.target.value && setSearch({ ...period, [name]: event.target.value })}
            />
          ))}
          <button
            type="button"
            className="button"
            aria-pressed={isCompared}
            data-compare=""
            onClick={() => setSearch({ compare: isCompared ? null : '1' })}
          >
            {t('analytics.compare')}
          </button>
          {sites.length > 1 && (
            <select
              aria-label={t('analytics.site')}
              value={search.get('site') ?? ''}
              onChange={(event) => setSearch({ site: event.target.value || null })}
            >
              <option value="">{t('analytics.all_sites')}</option>
              {sites.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          )}
          {search.get('service') !== null && (
            <button
              type="button"
              className="button chip-off"
              data-filter="service"
              onClick={() => setSearch({ service: null })}
            >
              {serviceOf(search.get('service')!, null)} ×
              <span className="visually-hidden">{t('analytics.all_services')}</span>
            </button>
          )}
        </div>
      </header>
      <Headline overview={reports.overview} />
      {report(
        'wait',
        worst?.p90_wait_time == null
          ? t('analytics.nothing')
          : t('analytics.wait_finding', { hour: worst.hour, minutes: Math.round(worst.p90_wait_time / 60) }),
        waitData,
        (label) => (
          <WaitBand data={waitData} label={label} />
        ),
      )}
      {report(
        'heat',
        busiest
          ? t('analytics.heat_finding', {
              day: weekdayName(busiest.weekday, currentLanguage()),
              hour: busiest.hour,
              count: busiest.total_customers,
            })
          : t('analytics.nothing'),
        heatData,
        () => (
          <Heat rows={heatData.rows} />
        ),
      )}
      <div className="pair">
        {report('funnel', t('analytics.funnel_finding', { share: shareText(share(funnel.served)) }), funnelData, () => (
          <Funnel data={funnelData} />
        ))}
        {report(
          'staffing',
          staffing === null
            ? t('ui.loading')
            : short > 0
              ? t('analytics.staffing_short', { count: short })
              : t('analytics.staffing_enough'),
          staffingData,
          (label) => (
            <>
              <label className="staffing-day">
                {t('analytics.day')}
                <input
                  type="date"
                  value={staffingDay}
                  onChange={(event) => setSearch({ day: event.target.value || null })}
                />
              </label>
              <NeedAndPlan data={staffingData} label={label} />
            </>
          ),
        )}
      </div>
      {report(
        'services',
        topService ? t('analytics.most', { name: serviceOf(topService.key, topService.name) }) : t('analytics.nothing'),
        { columns: groupColumns('service'), rows: groupsOf(reports.services, serviceOf) },
        undefined,
        (key) => setSearch({ service: key }),
      )}
      {report(
        'channels',
        topChannel
          ? t('analytics.most', { name: t(`channel.${topChannel.key}` as MessageKey) })
          : t('analytics.nothing'),
        { columns: groupColumns('channel'), rows: groupsOf(channels, (key) => t(`channel.${key}` as MessageKey)) },
      )}
      {report('agents', topAgent ? t('analytics.most', { name: topAgent.name ?? '–' }) : t('analytics.nothing'), {
        columns: [
          column('agent', 'text'),
          column('called', 'count'),
          column('served', 'count'),
          column('no_shows', 'count'),
          column('service_p50', 'seconds'),
          column('service_p90', 'seconds'),
          column('rating', 'rating'),
        ],
        rows: agents.agents
          .toSorted((a, b) => b.served - a.served)
          .map((each) => ({
            key: String(each.agent_id),
            cells: [
              each.name ?? '–',
              each.called,
              each.served,
              each.no_shows,
              each.p50_service_time,
              each.p90_service_time,
              each.average_rating,
            ],
          })),
      })}
      {report(
        'accuracy',
        accuracy.within_promise === null
          ? t('analytics.nothing')
          : t('analytics.accuracy_finding', { share: shareText(accuracy.within_promise) }),
        {
          columns: [
            column('service', 'text'),
            column('promised', 'count'),
            column('within_promise', 'share'),
            column('inside', 'share'),
            column('error', 'seconds'),
          ],
          rows: accuracy.groups.map((each) => ({
            key: each.key,
            cells: [
              serviceOf(each.key, each.name),
              each.promised,
              each.within_promise,
              each.coverage,
              each.mean_absolute_error_seconds,
            ],
          })),
        },
      )}
      {reports.overview.is_rounded && <p className="muted">{t('analytics.rounded')}</p>}
    </main>
  )
}
