import { useEffect, useRef } from 'preact/hooks'
import { clockTime, day } from '../../ui/format.ts'
import { currentLanguage, t } from '../../ui/messages.ts'
import { Header, Notice } from '../../ui/public/parts.tsx'
import type { MoveProps } from './data.ts'
import { MonthGrid } from './month.tsx'
import { Times, ZoneNote } from './times.tsx'
import { useMonth } from './use-month.ts'

/** Another time for the same appointment; the old one is kept until the new one is had. */
export function MovePage(props: MoveProps) {
  const { mine, place, tenant, token, formKey, refusal, isAboutTime } = props
  const language = currentLanguage()
  const hrefOf = (query: { month: string } | { day: string }) =>
    `?${new URLSearchParams({ ...query, lang: language }).toString()}`
  const { month, pick, turn } = useMonth(props, { tenant, place, serviceId: mine.service_id, hrefOf })
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (isAboutTime) heading.current?.focus()
  }, [])
  return (
    <main class="page">
      <Header place={`${mine.tenant_name} · ${mine.site_name}`} />
      <h1 class="title">{t('booking.move_title')}</h1>
      <p>
        {t('booking.now_at', { day: day(mine.start_at, mine.timezone), time: clockTime(mine.start_at, mine.timezone) })}
      </p>
      {!isAboutTime && <Notice text={refusal} kind="danger" />}
      <form method="post" action={hrefOf({ month: month.month })} class="book">
        <input type="hidden" name="key" value={formKey} />
        <input type="hidden" name="day" value={month.day ?? ''} />
        <MonthGrid {...{ month, hrefOf, pick, turn }} first={place.today} last={place.last_day} />
        <ZoneNote zone={mine.timezone} instant={mine.start_at} place={mine.site_name} />
        <Times month={month} problem={isAboutTime ? refusal : undefined} heading={heading} />
        <div class="bottom">
          <button class="button wide" data-kind="primary" disabled={month.times.length === 0}>
            {t('booking.move_here')}
          </button>
        </div>
      </form>
      <p class="find-link">
        <a href={`/a/${token}?lang=${language}`}>{t('booking.keep')}</a>
      </p>
    </main>
  )
}
