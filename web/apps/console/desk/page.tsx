import { useEffect, useLayoutEffect, useState } from 'react'
import { t } from '../../../ui/messages.ts'
import type { PageProps } from '../shell/shell.ts'
import { problemText, type Shell } from '../shell/shell.ts'
import { loadCatalogue } from '../state/catalogue.ts'
import { preferences } from '../state/preferences.ts'
import { isMember, isSignedOut } from '../state/session.ts'
import { useStore } from '../state/store.ts'
import { DeskView } from './desk-view.tsx'
import './desk.css'
import { Acts } from './state/acts.ts'
import { Desk } from './state/desk.ts'

/** The desk of the signed-in person. */
export default function DeskPage({ shell }: PageProps) {
  const { desks } = useStore(shell)
  const [acts, setActs] = useState<Acts | null>(null)
  const [problem, setProblem] = useState('')
  useLayoutEffect(() => {
    shell.hasOwnKeys = true
    return () => void (shell.hasOwnKeys = false)
  }, [shell])
  useEffect(() => {
    if (desks === null) return
    if (desks.length === 0) return setProblem(t('console.no_desk'))
    let isWanted = true
    let opened: Acts | undefined
    openDesk(shell, desks).then(
      (result) => {
        if (!isWanted) return result.desk.close()
        opened = result
        setActs(result)
      },
      (error: unknown) => (isSignedOut(error) ? shell.expire() : isWanted && setProblem(problemText(error))),
    )
    const stay = shell.beforeSignOut(async () => {
      if (opened) await leave(opened)
    })
    return () => {
      isWanted = false
      stay()
      opened?.desk.close()
    }
  }, [shell, desks])

  if (acts) return <DeskView acts={acts} shell={shell} />
  return (
    <main className="gate">
      <p role="status">{problem || t('ui.loading')}</p>
      {problem && (
        <button type="button" className="button" onClick={() => void shell.signOut()}>
          {t('console.sign_out')}
        </button>
      )}
    </main>
  )
}

/** Of several sites the one worked at last. */
async function openDesk(shell: Shell, desks: NonNullable<Shell['state']['desks']>): Promise<Acts> {
  const { session } = shell
  if (!isMember(session)) throw new Error('a desk is in an organisation')
  const { counters } = preferences.state
  const self = desks.find(({ counter_id }) => counter_id) ?? desks.find(({ id }) => counters[id]) ?? desks[0]!
  const catalogue = await loadCatalogue(session.tenant.slug, self.site_id)
  return new Acts(new Desk(session, catalogue, self, shell.expire))
}

async function leave(acts: Acts): Promise<void> {
  const { view, self } = acts.desk.state
  acts.desk.isEnding = true
  // The answer that the desk was taken may be here before the feed tells of it.
  if (view?.agent.status === 'available' || self.status === 'available') await acts.leave()
  await acts.desk.end()
}
