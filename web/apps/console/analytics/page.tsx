import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { sitesList, servicesList, type ServicesGet, type SitesGet } from '../../../data/operations.ts'
import { currentLanguage, t, type MessageKey } from '../../../ui/messages.ts'
import { setSearch, usePlace } from '../shell/router.ts'
import { useCommands, type PageProps } from '../shell/shell.ts'
import { serverNow } from '../state/clock.ts'
import './analytics.css'
import { askReports, askSite, lastDays, loadStaffing, moved, REPORTS, type Wanted } from './data.ts'
import { Filters } from './filters.tsx'
import { Heat } from './heat.tsx'
import { Headline } from './headline.tsx'
import { Report } from './report.tsx'
import { useAsked, type Asked } from './use-asked.ts'
import {
  accuracyTold,
  agentsTold,
  funnelTold,
  groupsTold,
  heatTold,
  staffingTold,
  volumeTold,
  waitTold,
  type Namer,
  type Told,
} from './views.ts'

const WaitBand = lazy(() => import('./charts.tsx').then((charts) => ({ default: charts.WaitBand })))
const NeedAndPlan = lazy(() => import('./charts.tsx').then((charts) => ({ default: charts.NeedAndPlan })))
const Volume = lazy(() => import('./charts.tsx').then((charts) => ({ default: charts.Volume })))
const Funnel = lazy(() => import('./charts.tsx').then((charts) => ({ default: charts.Funnel })))

/** Days that are shown when the address names none. */
const DAYS = 28
/** Reports that are drawn. */
const DRAWN = ['wait', 'volume', 'heat', 'funnel', 'staffing']

/** What a period was like, on one page; the address says which one, and opens the same view again. */
export default function AnalyticsPage({ shell }: PageProps) {
  const { search } = usePlace()
  const [sites, setSites] = useState<readonly SitesGet[] | null>(null)
  const [services, setServices] = useState<readonly ServicesGet[]>([])
  useEffect(() => {
    shell.run(sitesList, { limit: 200 }).then(({ results }) => setSites(results), shell.refuse)
    shell.run(servicesList, { limit: 200 }).then(({ results }) => setServices(results), shell.refuse)
  }, [shell])

  const isCompared = search.get('compare') === '1'
  const tables = new Set((search.get('tables') ?? '').split(',').filter(Boolean))
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: shell.timeZone }).format(serverNow())
  const to = search.get('to') ?? today
  const period = { from: search.get('from') ?? lastDays(to, DAYS).from, to }
  const wanted = wantedOf(search, period)
  const siteId = wanted.site_id ?? (sites?.length === 1 ? sites[0]!.id : undefined)
  const isNarrowed = wanted.channel !== undefined || wanted.agent_id !== undefined
  const day = search.get('day') ?? today
  const report = useAsked(() => askReports(shell, wanted, isCompared), JSON.stringify([wanted, isCompared]))
  const atSite = useAsked(() => askSite(shell, wanted, siteId), JSON.stringify([wanted, siteId]))
  const plan = useAsked(
    () => ({ staffing: isNarrowed ? Promise.resolve([]) : loadStaffing(shell, day, wanted) }),
    JSON.stringify([day, wanted.site_id, wanted.service_id, wanted.queue_id, isNarrowed]),
  )

  const go = (times: number) => setSearch(moved(period.from, period.to, times))
  const setTables = (names: Iterable<string>) =>
    setSearch({ tables: [...names].join(',') || null }, { isReplacing: true })
  useCommands(shell, [
    { id: 'before', key: '[', label: t('analytics.before'), run: () => go(-1) },
    { id: 'after', key: ']', label: t('analytics.after'), run: () => go(1) },
    { id: 'tables', key: 't', label: t('analytics.as_table'), run: () => setTables(tables.size > 0 ? [] : DRAWN) },
    {
      id: 'compare',
      key: 'v',
      label: t('analytics.compare'),
      run: () => setSearch({ compare: isCompared ? null : '1' }),
    },
  ])

  const serviceOf: Namer = (key, name) => {
    const service = services.find(({ id }) => String(id) === key)
    return service?.names[currentLanguage()] ?? service?.name ?? name ?? key
  }
  const channelOf: Namer = (key) => t(`channel.${key}` as MessageKey)
  const agentOf = (id: number) => report('agents').value?.agents.find(({ agent_id }) => agent_id === id)?.name ?? '…'
  const chips = [
    ...(wanted.service_id ? [{ name: 'service', label: serviceOf(String(wanted.service_id), null) }] : []),
    ...(wanted.channel ? [{ name: 'channel', label: channelOf(wanted.channel, null) }] : []),
    ...(wanted.agent_id ? [{ name: 'agent', label: agentOf(wanted.agent_id) }] : []),
  ]
  function shown<Value>(
    id: string,
    asked: Asked<Value>,
    tell: (value: Value) => Told,
    more: { chart?: (told: Told) => ReactNode; onPick?: (key: string) => void; choice?: ReactNode } = {},
  ) {
    const { chart } = more
    return (
      <Report
        key={id}
        id={id}
        title={t(`analytics.${id}` as MessageKey)}
        told={asked.value === undefined ? undefined : tell(asked.value as Value)}
        problem={asked.problem}
        isAwaited={asked.isAwaited}
        isTable={tables.has(id)}
        onTable={(isTable) => setTables(isTable ? [...tables, id] : [...tables].filter((each) => each !== id))}
        onPick={more.onPick}
        choice={more.choice}
        {...(chart && {
          chart: (told) => <Suspense fallback={<p role="status">{t('ui.loading')}</p>}>{chart(told)}</Suspense>,
        })}
      />
    )
  }

  const overview = report('overview')
  const asked = [...REPORTS.map(report), atSite('counters'), atSite('occupancy'), plan('staffing')]
  return (
    <main
      className="analytics"
      data-from={period.from}
      data-to={period.to}
      data-complete={sites !== null && !asked.some(({ isAwaited }) => isAwaited)}
    >
      <header className="analytics-head">
        <h1>{t('console.page_analytics')}</h1>
        <Filters
          period={period}
          today={today}
          isCompared={isCompared}
          sites={sites ?? []}
          siteId={wanted.site_id}
          chips={chips}
        />
      </header>
      <Headline overview={overview.value} isAwaited={overview.isAwaited} />
      {overview.problem && (
        <p className="problem" role="alert">
          {overview.problem}
        </p>
      )}
      {shown('wait', report('wait'), (wait) => waitTold(wait, report('waitBefore').value ?? null), {
        chart: ({ data, finding }) => <WaitBand data={data} label={finding} />,
      })}
      {shown('volume', report('wait'), volumeTold, {
        chart: ({ data, finding }) => <Volume data={data} label={finding} />,
      })}
      {shown('heat', report('heat'), heatTold, { chart: ({ data }) => <Heat rows={data.rows} /> })}
      <div className="pair">
        {shown('funnel', report('funnel'), funnelTold, { chart: ({ data }) => <Funnel data={data} /> })}
        {!isNarrowed &&
          shown('staffing', plan('staffing'), staffingTold, {
            chart: ({ data, finding }) => <NeedAndPlan data={data} label={finding} />,
            choice: (
              <label className="staffing-day">
                {t('analytics.day')}
                <input type="date" value={day} onChange={(event) => setSearch({ day: event.target.value || null })} />
              </label>
            ),
          })}
      </div>
      {shown('services', report('services'), (groups) => groupsTold('service', groups, serviceOf), {
        onPick: (key) => setSearch({ service: key }),
      })}
      {shown('channels', report('channels'), (groups) => groupsTold('channel', groups, channelOf), {
        onPick: (key) => setSearch({ channel: key }),
      })}
      {siteId !== undefined &&
        shown('counters', atSite('counters'), (groups) => groupsTold('counter', groups, (key, name) => name ?? key))}
      {shown('agents', report('agents'), (agents) => agentsTold(agents, atSite('occupancy').value ?? null), {
        onPick: (key) => setSearch({ agent: key }),
      })}
      {shown('accuracy', report('accuracy'), (accuracy) => accuracyTold(accuracy, serviceOf))}
      {overview.value?.is_rounded && <p className="muted">{t('analytics.rounded')}</p>}
    </main>
  )
}
function wantedOf(search: URLSearchParams, period: { from: string; to: string }): Wanted {
  const numberOf = (name: string) => Number(search.get(name) ?? '') || undefined
  const [site_id, service_id, queue_id, agent_id] = ['site', 'service', 'queue', 'agent'].map(numberOf)
  const channel = search.get('channel') as Wanted['channel'] | null
  return {
    ...period,
    ...(site_id && { site_id }),
    ...(service_id && { service_id }),
    ...(queue_id && { queue_id }),
    ...(agent_id && { agent_id }),
    ...(channel && { channel }),
  }
}
