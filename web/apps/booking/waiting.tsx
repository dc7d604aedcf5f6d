import { currentLanguage, t } from '../../ui/messages.ts'
import { Header, Notice } from '../../ui/public/parts.tsx'
import type { WaitingProps } from './data.ts'
import { dayName } from './dates.ts'

/** One's own request on the waiting list. Looking at it changes nothing. */
export function WaitingPage({ token, waiter, refusal }: WaitingProps) {
  const isWaiting = waiter.status === 'waiting'
  const isOpen = isWaiting || waiter.status === 'unconfirmed'
  return (
    <main class="page" data-status={waiter.status}>
      <Header place="" />
      <h1 class="title">{t(`booking.waiter_${waiter.status}`)}</h1>
      <Notice text={refusal} kind="danger" />
      <div class="card" data-past={!isOpen}>
        <p>
          {t('booking.wait_from')} <strong>{dayName(waiter.from_day)}</strong>
        </p>
        <p>
          {t('booking.wait_to')} <strong>{dayName(waiter.to_day)}</strong>
        </p>
      </div>
      {isOpen && (
        <>
          <p>{t(isWaiting || waiter.can_confirm ? 'booking.wait_hint' : 'booking.wait_mailed')}</p>
          <form method="post" action={`/w/${token}?lang=${currentLanguage()}`} class="bottom">
            {waiter.can_confirm && (
              <button class="button wide" data-kind="primary" name="act" value="confirm">
                {t('booking.wait_confirm')}
              </button>
            )}
            <button class="button wide" name="act" value="leave">
              {t('booking.wait_leave')}
            </button>
          </form>
        </>
      )}
    </main>
  )
}
