import { stopwatch } from '../../../ui/format.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { Code, LineBadge } from '../../../ui/parts/react.ts'
import type { Acts } from './state/acts.ts'
import { lineCode, serviceName } from '../state/catalogue.ts'
import { preferences } from '../state/preferences.ts'
import { useStore } from '../state/store.ts'
import { CommandButton } from './command-button.tsx'
import { Languages } from '../parts/languages.tsx'
import { NextAppointment } from './next-appointment.tsx'

/** My day beside my usual one (nobody else's), my lines, and what belongs to this window. */
export function MePane({ acts, onLeave }: { acts: Acts; onLeave(): void }) {
  const { desk } = acts
  const { stats, view } = useStore(desk)
  const { theme } = useStore(preferences)
  return (
    <aside className="pane me" aria-labelledby="me-title">
      <h2 id="me-title">{t('console.today')}</h2>
      <p className="figure" data-served={stats?.served_today}>
        {stats?.served_today ?? '–'}
      </p>
      <p className="muted">
        {t('console.served', { count: stats?.served_today ?? 0 })}
        {stats?.mean_service_seconds != null && (
          <>
            {' · '}
            {t('console.mean')} <Code>{stopwatch(stats.mean_service_seconds)}</Code>
          </>
        )}
      </p>
      {stats?.usual_service_seconds != null && (
        <p className="muted">
          {t('console.usual', { count: stats.usual_served ?? 0 })} ·{' '}
          <Code>{stopwatch(stats.usual_service_seconds)}</Code>
        </p>
      )}
      <ul className="lines">
        {view!.queues.map(({ id, waiting_count, status }) => (
          <li key={id}>
            <LineBadge code={lineCode(desk.catalogue, id)} />
            <span className="what">{serviceName(desk.catalogue, id, currentLanguage())}</span>
            {status !== 'open' && <span className="muted">{t(`queue_status.${status}`)}</span>}
            <strong>{waiting_count}</strong>
          </li>
        ))}
      </ul>
      <NextAppointment acts={acts} />
      <div className="tools">
        <CommandButton acts={acts} command="palette" kind="quiet" />
        <CommandButton acts={acts} command="help" kind="quiet" />
        <CommandButton acts={acts} command="undo" kind="quiet" />
        <CommandButton acts={acts} command="pause" kind="quiet" />
        <CommandButton acts={acts} command="mini" kind="quiet" />
        <CommandButton acts={acts} command="counter" kind="quiet" />
        <CommandButton acts={acts} command="theme" kind="quiet">
          {t(theme === 'dark' ? 'console.to_light' : 'console.to_dark')}
        </CommandButton>
        <button type="button" className="button" data-kind="quiet" data-sign-out="" onClick={onLeave}>
          <span>{t('console.sign_out')}</span>
        </button>
      </div>
      <p className="muted who">{desk.state.self.name}</p>
      <Languages />
    </aside>
  )
}
