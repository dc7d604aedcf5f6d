import type { AnalyticsOverview } from '../../../data/operations.ts'
import { t, type MessageKey } from '../../../ui/messages.ts'
import { Value, type Kind } from './figures.tsx'

const FIGURES = [
  ['served', 'count', 'up'],
  ['p50_wait_time', 'seconds', 'down'],
  ['p90_wait_time', 'seconds', 'down'],
  ['within_promise', 'share', 'up'],
  ['abandoned', 'count', 'down'],
  ['no_show_rate', 'share', 'down'],
  ['average_rating', 'rating', 'up'],
] as const satisfies readonly (readonly [keyof AnalyticsOverview['current'], Kind, 'up' | 'down'])[]

/** The period in seven figures, each beside the one of as many days before. */
export function Headline({ overview, isAwaited }: { overview: AnalyticsOverview | undefined; isAwaited: boolean }) {
  return (
    <dl className="headline" aria-busy={isAwaited}>
      {FIGURES.map(([name, kind, good]) => {
        const [now, before] = [overview?.current[name] ?? null, overview?.previous[name] ?? null]
        const isChanged = now !== null && before !== null && before !== 0
        const change = isChanged ? (now - before) / before : null
        const isGood = change === null || change === 0 ? null : change > 0 === (good === 'up')
        return (
          <div key={name} data-headline={name} data-value={now ?? ''}>
            <dt>{t(`analytics.headline_${name}` as MessageKey)}</dt>
            <dd>
              <strong>
                <Value value={now} kind={kind} />
              </strong>
              <span className="change" data-good={isGood ?? undefined}>
                {t('analytics.was')} <Value value={before} kind={kind} />
              </span>
            </dd>
          </div>
        )
      })}
    </dl>
  )
}
