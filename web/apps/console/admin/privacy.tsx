import { useState, type FormEvent } from 'react'
import { privacyErase, privacyExport, privacyFind, type PrivacyFind } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { Code } from '../../../ui/parts/react.ts'
import { problemText } from '../shell/shell.ts'
import type { Api } from './kit/api.ts'
import { saveFile } from './files.ts'
import { settingsPage, tenantSettings } from './settings.tsx'

/** One person: find, hand out, forget. */
function Persons({ api }: { api: Api }) {
  const [by, setBy] = useState<'phone' | 'email' | 'name' | 'external_id'>('phone')
  const [typed, setTyped] = useState('')
  const [found, setFound] = useState<PrivacyFind>()
  const [said, setSaid] = useState('')
  const [asked, setAsked] = useState<number | null>(null)
  const find = () =>
    api.run(privacyFind, { [by]: typed }).then(
      (answer) => {
        setFound(answer)
        setSaid('')
      },
      (error: unknown) => setSaid(problemText(error)),
    )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void find()
  }
  async function hand(id: number) {
    try {
      saveFile(`person-${id}.json`, 'application/json', JSON.stringify(await api.run(privacyExport, { id }), null, 2))
    } catch (error) {
      setSaid(problemText(error))
    }
  }
  async function forget(id: number) {
    setAsked(null)
    try {
      const { tickets } = await api.run(privacyErase, { id })
      await find()
      setSaid(t('admin.forgotten', { count: tickets }))
    } catch (error) {
      setSaid(problemText(error))
    }
  }
  return (
    <section className="section">
      <h2>{t('admin.persons')}</h2>
      <p className="muted">{t('admin.persons_about')}</p>
      <form className="row" onSubmit={submit}>
        <select aria-label={t('admin.find_by')} value={by} onChange={(e) => setBy(e.target.value as typeof by)}>
          {(['phone', 'email', 'name', 'external_id'] as const).map((each) => (
            <option key={each} value={each}>
              {t(`admin.field.${each}`)}
            </option>
          ))}
        </select>
        <input
          aria-label={t('admin.search')}
          dir="auto"
          required
          value={typed}
          onChange={(e) => setTyped(e.target.value)}
        />
        <button type="submit" className="button" data-kind="primary">
          {t('admin.search')}
        </button>
      </form>
      <p role="status">{said}</p>
      {found && found.persons.length === 0 && <p className="empty">{t('admin.not_found')}</p>}
      <ul className="persons">
        {found?.persons.map(({ customer_id: id, name, phone, email, tickets }) => (
          <li key={id} data-person={id}>
            <strong>
              <bdi>{name || '—'}</bdi>
            </strong>{' '}
            <Code>{[phone, email].filter(Boolean).join(' ')}</Code>{' '}
            <span className="muted">{t('admin.visits', { count: tickets })}</span>
            <span className="row">
              <button type="button" className="button" onClick={() => void hand(id)}>
                {t('admin.hand_out')}
              </button>
              {asked === id ? (
                <button type="button" className="button" data-sure="" onClick={() => void forget(id)}>
                  {t('admin.forget_sure')}
                </button>
              ) : (
                <button type="button" className="button" data-forget={id} onClick={() => setAsked(id)}>
                  {t('admin.forget')}
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

export const Privacy = settingsPage({
  noun: 'privacy',
  ...tenantSettings,
  only: ['data_retention_days', 'message_retention_days'],
  Extra: Persons,
})
