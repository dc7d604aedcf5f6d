import { useCallback, useEffect, useState, type FormEvent } from 'react'
import { noticesEnd, noticesList, noticesPublish, type NoticesList } from '../../../data/operations.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import { Moment } from '../admin/kit/cell.tsx'
import type { AreaProps } from '../admin/kit/resource.tsx'
import { problemText } from '../shell/shell.ts'
import { noticeText } from '../shell/notices.tsx'

type Notice = NoticesList['results'][number]
const LANGUAGES = ['fr', 'en', 'ar'] as const
const LEVELS = ['information', 'disturbance', 'outage'] as const
const SURFACES = ['console', 'visitor', 'status'] as const

/** What everybody is told while something is wrong. */
export function Notices({ api }: AreaProps) {
  const [list, setList] = useState<Notice[]>()
  const [said, setSaid] = useState('')
  const fail = useCallback((error: unknown) => setSaid(problemText(error)), [])
  const load = useCallback(() => api.run(noticesList, {}).then(({ results }) => setList(results), fail), [api, fail])
  useEffect(() => void load(), [load])
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = event.currentTarget
    const given = new FormData(form)
    const texts = Object.fromEntries(
      LANGUAGES.flatMap((each) => {
        const text = String(given.get(each) ?? '').trim()
        return text ? [[each, text]] : []
      }),
    )
    const input = {
      level: given.get('level') as Notice['level'],
      surfaces: given.getAll('surfaces') as Notice['surfaces'],
      texts,
    }
    api.run(noticesPublish, input).then(() => {
      form.reset()
      setSaid(t('platform.notice_told'))
      return load()
    }, fail)
  }
  return (
    <>
      <header className="page-head">
        <h1>{t('platform.notices')}</h1>
        <a className="button" href="/status" target="_blank" rel="noreferrer">
          {t('platform.status_page')}
        </a>
      </header>
      <p className="muted about">{t('platform.notices_about')}</p>
      <form className="form" onSubmit={submit} data-notice-form="">
        <label className="field">
          {t('platform.notice_level')}
          <select name="level" defaultValue="disturbance">
            {LEVELS.map((each) => (
              <option key={each} value={each}>
                {t(`platform.level_${each}`)}
              </option>
            ))}
          </select>
        </label>
        <fieldset className="field">
          <legend>{t('platform.notice_where')}</legend>
          <span className="row">
            {SURFACES.map((each) => (
              <label key={each} className="row">
                <input type="checkbox" name="surfaces" value={each} defaultChecked />
                {t(`platform.surface_${each}`)}
              </label>
            ))}
          </span>
        </fieldset>
        {LANGUAGES.map((each) => (
          <label key={each} className="field" data-kind="long">
            {t(`admin.language.${each}`)}
            <input name={each} lang={each} dir={each === 'ar' ? 'rtl' : 'ltr'} maxLength={500} />
          </label>
        ))}
        <p className="form-end row">
          <button type="submit" className="button" data-kind="primary">
            {t('platform.notice_tell')}
          </button>
          <span role="status">{said}</span>
        </p>
      </form>
      {list?.length === 0 && <p className="empty">{t('platform.no_notices')}</p>}
      <ul className="persons">
        {list?.map((notice) => (
          <li key={notice.id} data-notice={notice.id} data-ended={notice.ended_at !== null}>
            <span className={notice.ended_at ? 'muted' : 'fault'}>
              <Icon name={notice.ended_at ? 'check' : 'alert'} /> {t(`platform.level_${notice.level}`)}
            </span>
            <strong>
              <bdi>{noticeText(notice, currentLanguage())}</bdi>
            </strong>
            <span className="muted">{notice.surfaces.map((each) => t(`platform.surface_${each}`)).join(', ')}</span>
            <Moment at={notice.starts_at} zone={api.timeZone} />
            {notice.ended_at ? (
              <>
                – <Moment at={notice.ended_at} zone={api.timeZone} />
              </>
            ) : (
              <button
                type="button"
                className="button"
                data-end={notice.id}
                onClick={() => void api.run(noticesEnd, { id: notice.id }).then(load, fail)}
              >
                {t('platform.notice_end')}
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}
