import { useEffect, useState, type FormEvent } from 'react'
import { notificationsQuietHours, notificationsSetQuietHours, sitesList } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { problemText } from '../shell/shell.ts'
import type { Api } from './kit/api.ts'
import { asTime } from './kit/intervals.tsx'

interface Quiet {
  id: number
  name: string
  starts: string | null
  ends: string | null
}

/** When each site writes to nobody about what can wait. */
export function QuietHours({ api }: { api: Api }) {
  const [sites, setSites] = useState<readonly Quiet[]>()
  const [said, setSaid] = useState('')
  useEffect(() => {
    async function load() {
      const all = await api.all<{ id: number; name: string }>(sitesList)
      setSites(
        await Promise.all(
          all.map(async ({ id, name }) => ({ id, name, ...(await api.run(notificationsQuietHours, { site_id: id })) })),
        ),
      )
    }
    load().catch((error: unknown) => setSaid(problemText(error)))
  }, [api])
  function submit(event: FormEvent<HTMLFormElement>, site_id: number) {
    event.preventDefault()
    const given = Object.fromEntries(new FormData(event.currentTarget)) as Record<'starts' | 'ends', string>
    const timeOf = (text: string) => (text.trim() === '' ? null : asTime(text))
    const quiet = { starts: timeOf(given.starts), ends: timeOf(given.ends) }
    api.run(notificationsSetQuietHours, { site_id, ...quiet }).then(
      () => setSaid(t('admin.saved')),
      (error: unknown) => setSaid(problemText(error)),
    )
  }
  if (!sites || sites.length === 0) return null
  return (
    <details className="fold" data-quiet-hours>
      <summary>{t('admin.quiet_hours')}</summary>
      <p className="muted">{t('admin.quiet_hours_about')}</p>
      <ul className="entries">
        {sites.map(({ id, name, starts, ends }) => (
          <li key={id}>
            <form className="row" onSubmit={(event) => submit(event, id)} data-quiet={id}>
              <strong>{name}</strong>
              {(['starts', 'ends'] as const).map((side) => (
                <input
                  key={side}
                  name={side}
                  className="time"
                  dir="ltr"
                  inputMode="numeric"
                  aria-label={t(side === 'starts' ? 'admin.quiet_from' : 'admin.quiet_to', { name })}
                  placeholder={side === 'starts' ? '21:00' : '08:00'}
                  defaultValue={(side === 'starts' ? starts : ends) ?? ''}
                />
              ))}
              <button type="submit" className="button">
                {t('admin.save')}
              </button>
            </form>
          </li>
        ))}
      </ul>
      <p role="status">{said}</p>
    </details>
  )
}
