import { useEffect, useState } from 'react'
import { analyticsOverview, type AnalyticsOverview } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { setSearch, usePlace } from '../shell/router.ts'
import type { PageProps } from '../shell/shell.ts'

/** What the last month was like. */
export default function AnalyticsPage({ shell }: PageProps) {
  const { search } = usePlace()
  const from = search.get('from')
  const to = search.get('to')
  const [overview, setOverview] = useState<AnalyticsOverview | null>(null)
  useEffect(() => {
    shell.run(analyticsOverview, { ...(from && { from }), ...(to && { to }) }).then(setOverview, shell.refuse)
  }, [shell, from, to])
  return (
    <main className="area">
      <h1>{t('console.page_analytics')}</h1>
      <p className="row">
        {(['from', 'to'] as const).map((name) => (
          <input
            key={name}
            type="date"
            aria-label={t(`analytics.${name}`)}
            value={search.get(name) ?? overview?.[name] ?? ''}
            onChange={(event) => setSearch({ [name]: event.target.value || null })}
          />
        ))}
      </p>
      {overview === null ? (
        <p role="status">{t('ui.loading')}</p>
      ) : (
        <p>
          {t('analytics.served')} <strong>{overview.current.served}</strong>
        </p>
      )}
    </main>
  )
}
