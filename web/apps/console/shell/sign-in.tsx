import { useEffect, useRef, useState, type FormEvent } from 'react'
import { Problem } from '../../../data/api.ts'
import type { AuthSession } from '../../../data/operations.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import { hasPasskeys, isPerson, signIn, signInByPasskey, type Credentials, type SignedIn } from '../state/session.ts'
import { Languages } from '../parts/languages.tsx'

interface Props {
  tenant: string
  hasExpired: boolean
  onDone(session: SignedIn): void
}

/** Password, with the code of an authenticator app when one is set up, or a passkey. */
export function SignIn({ tenant, hasExpired, onDone }: Props) {
  const [problem, setProblem] = useState(hasExpired ? t('console.session_expired') : '')
  const [asksCode, setAsksCode] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const code = useRef<HTMLInputElement>(null)
  useEffect(() => form.current?.querySelector<HTMLElement>('input[name=email]')?.focus(), [])
  useEffect(() => {
    if (asksCode) code.current?.focus()
  }, [asksCode])

  async function attempt(work: () => Promise<AuthSession>) {
    setBusy(true)
    setProblem('')
    try {
      const session = await work()
      if (isPerson(session)) return onDone(session)
      setProblem(t('console.no_pages'))
    } catch (error) {
      // Turning the device's question down is no fault.
      if (!(error instanceof Problem)) return
      if (error.code === 'code_required') setAsksCode(true)
      setProblem(error.status ? error.message : t('console.not_sent'))
    } finally {
      setBusy(false)
    }
  }
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const values = Object.fromEntries(new FormData(event.currentTarget)) as unknown as Credentials
    void attempt(() => signIn({ ...values, code: values.code?.replace(/\s/g, '') ?? '' }))
  }
  const tenantField = useRef<HTMLInputElement>(null)

  return (
    <main className="gate">
      <p className="brand" aria-hidden="true">
        SmartQueue
      </p>
      <form ref={form} className="card" onSubmit={submit}>
        <h1>{t('console.sign_in')}</h1>
        <label>
          {t('console.organisation')}
          <input
            name="tenant"
            defaultValue={tenant}
            ref={tenantField}
            autoComplete="organization"
            autoCapitalize="none"
            dir="ltr"
          />
        </label>
        <label>
          {t('console.email')}
          <input name="email" type="email" required autoComplete="username" dir="ltr" />
        </label>
        <label>
          {t('console.password')}
          <input name="password" type="password" required autoComplete="current-password" dir="ltr" />
        </label>
        {asksCode && (
          <label>
            {t('console.code')}
            <input
              name="code"
              ref={code}
              required
              inputMode="numeric"
              autoComplete="one-time-code"
              dir="ltr"
              maxLength={20}
            />
          </label>
        )}
        <p className="problem" role="alert">
          {problem && (
            <>
              <Icon name="alert" /> {problem}
            </>
          )}
        </p>
        <button type="submit" className="button" data-kind="primary" disabled={isBusy}>
          {t('console.sign_in')}
        </button>
        {hasPasskeys() && (
          <button
            type="button"
            className="button"
            disabled={isBusy}
            onClick={() => void attempt(() => signInByPasskey(tenantField.current?.value ?? ''))}
          >
            <Icon name="key" /> {t('console.passkey')}
          </button>
        )}
        <a className="button" data-kind="quiet" href={`/app/forgot-password?lang=${currentLanguage()}`}>
          {t('console.forgot_password')}
        </a>
      </form>
      <Languages />
    </main>
  )
}
