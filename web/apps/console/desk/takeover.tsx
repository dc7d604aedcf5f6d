import { t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import type { Acts } from './state/acts.ts'

/** Two windows, one desk: one works, the others show what it does. */
export function Takeover({ acts: { desk }, isAsking }: { acts: Acts; isAsking: boolean }) {
  return (
    <div className="banner takeover" role="status" data-takeover={isAsking ? 'ask' : 'mirror'}>
      <p>
        <Icon name="people" /> {t(isAsking ? 'console.takeover_ask' : 'console.mirror')}
      </p>
      <p className="row">
        <button
          type="button"
          className="button"
          data-kind="primary"
          onClick={() => void desk.takeDesk().catch((error: unknown) => desk.refuse(error))}
        >
          {t('console.work_here')}
        </button>
        {isAsking && (
          <button type="button" className="button" onClick={() => desk.set({ asksForDesk: false })}>
            {t('console.only_watch')}
          </button>
        )}
      </p>
    </div>
  )
}
