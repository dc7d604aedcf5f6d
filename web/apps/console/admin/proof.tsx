import { useState, type FormEvent } from 'react'
import { authProve } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import type { Api } from './kit/api.ts'
import { problemText } from '../shell/shell.ts'

/** What can harm asks once more who is there; it counts for five minutes. */
export function Proof({ api }: { api: Api }) {
  const [said, setSaid] = useState('')
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const password = String(new FormData(event.currentTarget).get('password'))
    api.run(authProve, { password }).then(
      () => setSaid(t('admin.proven')),
      (error: unknown) => setSaid(problemText(error)),
    )
  }
  return (
    <details>
      <summary>{t('admin.prove')}</summary>
      <form className="row" onSubmit={submit} data-proof="">
        <label>
          {t('console.password')}
          <input name="password" type="password" dir="ltr" autoComplete="current-password" required />
        </label>
        <button type="submit" className="button">
          {t('admin.prove_now')}
        </button>
        <span role="status">{said}</span>
      </form>
    </details>
  )
}
