import { useState, type FormEvent } from 'react'
import { sitesCopy } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { navigate } from '../shell/router.ts'
import { problemText } from '../shell/shell.ts'
import type { Api, Row } from './kit/api.ts'
import { forgetOptions } from './kit/options.ts'

/** Another site like this one: opens it, so that its address and people can be given. */
export function CopySite({ api, row }: { api: Api; row: Row }) {
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const { name } = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>
    setBusy(true)
    setProblem('')
    api
      .run(sitesCopy, { id: row.id, name: name! })
      .then(
        ({ site }) => {
          forgetOptions()
          navigate(`admin/sites/${site.id}`)
        },
        (error: unknown) => setProblem(problemText(error)),
      )
      .finally(() => setBusy(false))
  }
  return (
    <section className="section">
      <h2>{t('admin.copy_site')}</h2>
      <p className="muted about">{t('admin.copy_site_about')}</p>
      <form className="row" onSubmit={submit} data-copy-site={row.id}>
        <input
          name="name"
          required
          maxLength={200}
          dir="auto"
          aria-label={t('admin.field.setup.name')}
          placeholder={t('admin.field.setup.name')}
        />
        <button type="submit" className="button" disabled={isBusy}>
          {t('admin.copy_site_make')}
        </button>
      </form>
      <p className="problem" role="alert">
        {problem}
      </p>
    </section>
  )
}
