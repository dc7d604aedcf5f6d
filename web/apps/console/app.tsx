import { useEffect, useState } from 'react'
import { call, Problem } from '../../data/api.ts'
import { agentsList, type AuthSession } from '../../data/operations.ts'
import { t } from '../../ui/messages.ts'
import { Acts } from './state/acts.ts'
import { loadCatalogue } from './state/catalogue.ts'
import { Desk } from './state/desk.ts'
import { preferences } from './state/preferences.ts'
import { isMember, isSignedOut, signOut, type Session } from './state/session.ts'
import { DeskView } from './views/desk.tsx'
import { Impersonation } from './views/impersonation.tsx'
import { SignIn } from './views/sign-in.tsx'

/** What the server puts into the page. */
export interface AppData {
  /** Milliseconds since 1970. */
  now: number
  /** Who is signed in by the cookie. */
  session: AuthSession | null
  /** Organisation named by the link. */
  tenant: string
}

type Phase =
  | { name: 'sign-in'; hasExpired: boolean }
  | { name: 'loading'; session: Session }
  | { name: 'no-desk'; session: Session; text: string }
  | { name: 'desk'; session: Session; acts: Acts }

export function App({ data }: { data: AppData }) {
  const [phase, setPhase] = useState<Phase>(() => begin(data.session))
  const session = phase.name === 'sign-in' ? null : phase.session

  useEffect(() => {
    if (phase.name !== 'loading') return
    let isWanted = true
    const expire = () => setPhase({ name: 'sign-in', hasExpired: true })
    void openDesk(phase.session, expire)
      .catch((error: unknown): Phase => {
        if (isSignedOut(error)) return { name: 'sign-in', hasExpired: true }
        return { name: 'no-desk', session: phase.session, text: errorText(error) }
      })
      .then((opened) => {
        if (!isWanted && opened.name === 'desk') opened.acts.desk.close()
        return isWanted && setPhase(opened)
      })
    return () => void (isWanted = false)
  }, [phase])
  useEffect(() => {
    if (phase.name === 'desk') return () => phase.acts.desk.close()
    return undefined
  }, [phase])

  async function leave() {
    if (phase.name === 'desk') {
      const { view, self } = phase.acts.desk.state
      // The answer that the desk was taken may be here before the feed tells of it.
      if (view?.agent.status === 'available' || self.status === 'available') await phase.acts.leave()
      await phase.acts.desk.end()
    }
    if (session) await signOut(session).catch(() => {})
    // The answer empties this browser's storage; keys, theme and counter hold nothing about people.
    preferences.set({})
    location.replace(location.pathname + location.search)
  }

  if (phase.name === 'sign-in' || !session)
    return (
      <SignIn
        tenant={data.tenant}
        hasExpired={phase.name === 'sign-in' && phase.hasExpired}
        onDone={(next) => setPhase(begin(next))}
      />
    )
  return (
    <>
      {session.impersonation && <Impersonation {...session.impersonation} timeZone={session.tenant.timezone} />}
      {phase.name === 'desk' ? (
        <DeskView acts={phase.acts} onLeave={() => void leave()} />
      ) : (
        <main className="gate">
          <h1>SmartQueue</h1>
          <p role="status">{phase.name === 'no-desk' ? phase.text : t('ui.loading')}</p>
          {phase.name === 'no-desk' && (
            <button type="button" className="button" onClick={() => void leave()}>
              {t('console.sign_out')}
            </button>
          )}
        </main>
      )}
    </>
  )
}

const begin = (session: AuthSession | null): Phase =>
  isMember(session) ? { name: 'loading', session } : { name: 'sign-in', hasExpired: false }
const errorText = (error: unknown) => (error instanceof Problem && error.status ? error.message : t('console.not_sent'))

/** The desk of the signed-in person; of several sites the one worked at last. */
async function openDesk(session: Session, onSignedOut: () => void): Promise<Phase> {
  const tenant = session.tenant.slug
  const { results } = await call(agentsList, { tenant, user: session.user.id, is_active: true })
  const { counters } = preferences.state
  const self = results.find(({ counter_id }) => counter_id) ?? results.find(({ id }) => counters[id]) ?? results[0]
  if (!self) return { name: 'no-desk', session, text: t('console.no_desk') }
  const catalogue = await loadCatalogue(tenant, self.site_id)
  return { name: 'desk', session, acts: new Acts(new Desk(session, catalogue, self, onSignedOut)) }
}
