import type { SitesGet } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { setSearch } from '../shell/router.ts'
import { lastDays } from './data.ts'

interface Props {
  period: { from: string; to: string }
  today: string
  isCompared: boolean
  sites: readonly SitesGet[]
  siteId: number | undefined
  /** What a row of a report narrowed the page to: name in the address, and what it is called. */
  chips: readonly { name: string; label: string }[]
}
/** The period, the site and what the page is narrowed to. */
export function Filters({ period, today, isCompared, sites, siteId, chips }: Props) {
  return (
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
          value={siteId ?? ''}
          onChange={(event) => setSearch({ site: event.target.value || null, agent: null })}
        >
          <option value="">{t('analytics.all_sites')}</option>
          {sites.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      )}
      {chips.map(({ name, label }) => (
        <button
          key={name}
          type="button"
          className="button chip-off"
          data-filter={name}
          onClick={() => setSearch({ [name]: null })}
        >
          {label} ×<span className="visually-hidden">{t('analytics.filter_off')}</span>
        </button>
      ))}
    </div>
  )
}
