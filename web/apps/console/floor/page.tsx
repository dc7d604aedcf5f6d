import { useEffect, useState } from 'react'
import { analyticsLive, type AnalyticsLive } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { StateLabel } from '../../../ui/parts/react.ts'
import { useCommands, type PageProps } from '../shell/shell.ts'

/** Every line of the organisation, now. */
export default function FloorPage({ shell }: PageProps) {
  const [lines, setLines] = useState<AnalyticsLive['lines'] | null>(null)
  const load = () => {
    shell.run(analyticsLive, {}).then(({ lines: now }) => setLines(now), shell.refuse)
  }
  useEffect(load, [shell])
  useCommands(shell, [{ id: 'reload', label: t('console.reload'), key: 'r', run: load }])
  return (
    <main className="area">
      <h1>{t('console.page_floor')}</h1>
      {lines === null && <p role="status">{t('ui.loading')}</p>}
      <ul className="rows-list">
        {lines?.map(({ queue_id, name, waiting, called, serving }) => (
          <li key={queue_id}>
            <strong>{name}</strong>
            <span>
              <StateLabel state="waiting" /> {waiting}
            </span>
            <span>
              <StateLabel state="called" /> {called}
            </span>
            <span>
              <StateLabel state="serving" /> {serving}
            </span>
          </li>
        ))}
      </ul>
    </main>
  )
}
