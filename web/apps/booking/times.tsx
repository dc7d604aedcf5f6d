import type { Ref } from 'preact'
import { clockTime } from '../../ui/format.ts'
import { t } from '../../ui/messages.ts'
import type { Month, Slot } from '../../../shared/booking.ts'
import { dayName } from './dates.ts'
import { useMounted } from './month.tsx'

/** The free times of the chosen day, in the morning and in the afternoon of the site's clock. */
export function Times({
  month: { day, times },
  chosen,
  problem,
  heading,
}: {
  month: Month
  chosen?: string | undefined
  problem?: string | undefined
  heading: Ref<HTMLHeadingElement>
}) {
  return (
    <section class="times" id="times" aria-labelledby="times-title">
      {/* A refused time brings the reader here, also without scripts. */}
      <h2
        class="subtitle"
        id="times-title"
        tabIndex={-1}
        ref={heading}
        {...(problem !== undefined && { autoFocus: true })}
      >
        {day ? dayName(day) : t('booking.no_times_month')}
      </h2>
      {problem && (
        <p class="banner" role="alert">
          {problem}
        </p>
      )}
      {day && times.length === 0 && <p>{t('booking.no_times_day')}</p>}
      <Part name={t('booking.morning')} times={times.filter(({ time }) => time < '12:00')} chosen={chosen} />
      <Part name={t('booking.afternoon')} times={times.filter(({ time }) => time >= '12:00')} chosen={chosen} />
    </section>
  )
}

function Part({ name, times, chosen }: { name: string; times: Slot[]; chosen?: string | undefined }) {
  if (times.length === 0) return null
  return (
    <fieldset class="part">
      <legend class="label">{name}</legend>
      <div class="clock">
        {times.map(({ start_at, time }) => (
          <label key={start_at} class="time">
            <input type="radio" name="start_at" value={start_at} required defaultChecked={start_at === chosen} />
            <bdi>{time}</bdi>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

/** That times are the site's. Who is in the same zone, or in one with the same clock, need not be told. */
export function ZoneNote({ zone, instant, place }: { zone: string; instant: string; place: string }) {
  const isMounted = useMounted()
  const isSame = isMounted && sameClock(zone, instant)
  if (isSame) return null
  return (
    <p class="banner zone" data-zone>
      {isMounted ? t('booking.zone_differs', { zone, place }) : t('booking.zone', { zone, place })}
    </p>
  )
}

function sameClock(zone: string, instant: string): boolean {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone
  const day = (timeZone: string) => new Intl.DateTimeFormat('en', { timeZone }).format(new Date(instant))
  return own === zone || (clockTime(instant, own) === clockTime(instant, zone) && day(own) === day(zone))
}
