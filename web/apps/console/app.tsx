import { useEffect, useState } from 'react'
import type { AuthSession } from '../../data/operations.ts'
import { PAGES } from './pages.ts'
import { Layout } from './shell/layout.tsx'
import { Shell } from './shell/shell.ts'
import { SignIn } from './shell/sign-in.tsx'
import { isPerson, type SignedIn } from './state/session.ts'

/** What the server puts into the page. */
export interface AppData {
  /** Milliseconds since 1970. */
  now: number
  /** Who is signed in by the cookie. */
  session: AuthSession | null
  /** Organisation named by the link. */
  tenant: string
}

/** The sign-in, then the page that the address asks for. */
export function App({ data }: { data: AppData }) {
  const [session, setSession] = useState<SignedIn | null>(() => (isPerson(data.session) ? data.session : null))
  const [hasExpired, setExpired] = useState(false)
  const [shell, setShell] = useState<Shell | null>(null)
  useEffect(() => {
    if (!session) return setShell(null)
    let isThere = true
    setShell(
      new Shell(session, PAGES, () => {
        if (!isThere) return
        setExpired(true)
        setSession(null)
      }),
    )
    return () => void (isThere = false)
  }, [session])

  if (!session) return <SignIn tenant={data.tenant} hasExpired={hasExpired} onDone={setSession} />
  return shell && <Layout shell={shell} />
}
