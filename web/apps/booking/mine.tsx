import { clockTime, day } from '../../ui/format.ts'
import { currentLanguage, t } from '../../ui/messages.ts'
import { Code } from '../../ui/parts/preact.ts'
import { Header, Notice } from '../../ui/public/parts.tsx'
import type { ComponentChildren } from 'preact'
import type { MineProps } from './data.ts'
import { ZoneNote } from './times.tsx'

const LIVE = ['held', 'pending', 'booked']
const isPast = (instant: string, now: string) => Date.parse(instant) <= Date.parse(now)

/** One's own appointment. Looking at it changes nothing: every change is a button. */
export function MinePage(props: MineProps) {
  const { mine, now, tenant, token, refusal } = props
  const { status, timezone, start_at } = mine
  const language = currentLanguage()
  const isLive = LIVE.includes(status)
  const mayChange = isLive && !isPast(mine.change_until, now)
  const mayCheckIn = status === 'booked' && isPast(mine.check_in_from, now)
  return (
    <main class="page" data-status={status}>
      <Header place={`${mine.tenant_name} · ${mine.site_name}`} />
      <h1 class="title">{t(`booking.is_${status}`)}</h1>
      <Notice text={refusal} kind="danger" />
      {status === 'held' && (
        <p class="banner">
          {t(mine.can_confirm ? 'booking.confirm_until' : 'booking.confirm_by_email', {
            time: clockTime(mine.hold_expires_at ?? start_at, timezone),
          })}
        </p>
      )}
      {status === 'pending' && <p class="banner">{t('booking.pending_hint')}</p>}
      <div class="card" data-past={!isLive}>
        <p class="figure">
          <bdi>{clockTime(start_at, timezone)}</bdi>
        </p>
        <p class="large">{day(start_at, timezone)}</p>
        <p>{mine.service_names[language] ?? mine.service_name}</p>
        <p class="muted">{[mine.site_name, mine.address].filter(Boolean).join(', ')}</p>
        {mine.party_size > 1 && <p class="muted">{t('booking.people', { count: mine.party_size })}</p>}
      </div>
      <ZoneNote zone={timezone} instant={start_at} place={mine.site_name} />
      {mine.can_confirm && (
        <Act {...props} act="confirm">
          <button class="button wide" data-kind="primary">
            {t('booking.confirm')}
          </button>
        </Act>
      )}
      {mayCheckIn && (
        <Act {...props} act="check-in" onSubmit={mine.needs_position ? addPosition : undefined}>
          {mine.needs_position && <p class="muted">{t('booking.position')}</p>}
          <button class="button wide" data-kind="primary">
            {t('booking.here')}
          </button>
        </Act>
      )}
      {status === 'booked' && (
        <>
          <p>
            {t('booking.arrive', {
              from: clockTime(mine.check_in_from, timezone),
              until: clockTime(mine.check_in_until, timezone),
            })}
          </p>
          <p class="kiosk-code">
            <span class="label">{t('booking.code')}</span>
            <Code>{mine.code}</Code>
          </p>
        </>
      )}
      {isLive && (
        <div class="bottom">
          <a class="button wide" href={`/public/${tenant}/appointments/${token}/calendar/`} download="appointment.ics">
            {t('booking.calendar')}
          </a>
          {mayChange && <Changes {...props} />}
        </div>
      )}
      {isLive && !mayChange && <p class="muted">{t('booking.change_over')}</p>}
      {!isLive && status !== 'checked_in' && (
        <div class="bottom">
          <a class="button wide" href={`/site/${tenant}/${mine.site_slug}/book/${mine.service_id}?lang=${language}`}>
            {t('booking.again')}
          </a>
        </div>
      )}
    </main>
  )
}

function Changes(props: MineProps) {
  return (
    <>
      <a class="button wide" href={`/a/${props.token}/move?lang=${currentLanguage()}`}>
        {t('booking.move')}
      </a>
      <details class="cancel">
        <summary class="button wide">{t('booking.cancel')}</summary>
        <Act {...props} act="cancel">
          <p>{t('booking.cancel_sure')}</p>
          <button class="button wide danger">{t('booking.cancel_now')}</button>
        </Act>
      </details>
    </>
  )
}

/** Asks where the phone is and sends the form with it; without an answer as it is, and the place says what to do. */
function addPosition(event: SubmitEvent) {
  event.preventDefault()
  const form = event.currentTarget as HTMLFormElement
  const add = (name: string, value: number) =>
    form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value: String(value) }))
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      add('latitude', coords.latitude)
      add('longitude', coords.longitude)
      add('accuracy', coords.accuracy)
      form.submit()
    },
    () => form.submit(),
    { enableHighAccuracy: true, timeout: 10_000, maximumAge: 60_000 },
  )
}

interface ActProps extends MineProps {
  act: string
  onSubmit?: ((event: SubmitEvent) => void) | undefined
  children: ComponentChildren
}
function Act({ token, formKey, act, onSubmit, children }: ActProps) {
  return (
    <form method="post" action={`/a/${token}/act?lang=${currentLanguage()}`} onSubmit={onSubmit}>
      <input type="hidden" name="act" value={act} />
      <input type="hidden" name="key" value={formKey} />
      {children}
    </form>
  )
}
