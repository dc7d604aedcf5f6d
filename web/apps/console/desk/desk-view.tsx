import { useEffect, useLayoutEffect } from 'react'
import { clockTime, ticketCode } from '../../../ui/format.ts'
import { t } from '../../../ui/messages.ts'
import { StaleBanner } from '../../../ui/parts/react.ts'
import type { Shell } from '../shell/shell.ts'
import { obey } from './commands.ts'
import { listen } from './keys/listen.ts'
import type { Acts } from './state/acts.ts'
import { useStore } from '../state/store.ts'
import { CounterChoice } from './counter-choice.tsx'
import { CurrentPane } from './current-pane.tsx'
import { MePane } from './me-pane.tsx'
import { Mini } from './mini.tsx'
import { Quota } from './quota.tsx'
import { QueuePane } from './queue-pane.tsx'
import { Sheets } from './sheets.tsx'
import { Takeover } from './takeover.tsx'

/** Three panes: who waits, who is at the counter, and me today. */
export function DeskView({ acts, shell }: { acts: Acts; shell: Shell }) {
  const { desk } = acts
  const { view, waitingCount, freshness, knownAt, isChoosingCounter, isMirror, asksForDesk } = useStore(desk)
  const number = view?.ticket && ticketCode(view.ticket.number)

  // Whoever sees the desk may press its keys.
  useLayoutEffect(() => {
    const isBusyElsewhere = () => desk.state.sheet !== null || desk.state.isChoosingCounter
    return listen(window, (meaning) => obey(meaning, acts), isBusyElsewhere)
  }, [acts, desk])
  useEffect(() => {
    document.title = `(${waitingCount}) ${number ?? t('role.agent')} · SmartQueue`
    showCount(waitingCount)
  }, [waitingCount, number])

  if (!view)
    return (
      <main className="gate">
        <p role="status">{t('ui.loading')}</p>
      </main>
    )
  const zone = desk.catalogue.site.timezone
  return (
    <>
      <StaleBanner kind={freshness === 'fresh' ? null : freshness} time={clockTime(knownAt, zone)} />
      {desk.session.tenant.role !== 'agent' && <Quota desk={desk} />}
      {(isMirror || asksForDesk) && <Takeover acts={acts} isAsking={asksForDesk} />}
      {isChoosingCounter ? (
        <CounterChoice desk={desk} />
      ) : (
        <div className="panes" data-stale={freshness !== 'fresh' || undefined} data-mirror={isMirror || undefined}>
          <QueuePane acts={acts} />
          <CurrentPane acts={acts} />
          <MePane acts={acts} onLeave={() => void shell.signOut()} />
        </div>
      )}
      <Sheets acts={acts} shell={shell} />
      <Mini acts={acts} />
    </>
  )
}

/** How many wait, in the tab's picture. */
function showCount(count: number): void {
  let link = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  if (!link) {
    link = document.createElement('link')
    link.rel = 'icon'
    document.head.append(link)
  }
  link.href = `/app/icon/${Math.min(count, 100)}.svg`
}
