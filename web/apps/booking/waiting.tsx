import { currentLanguage, t } from '../../ui/messages.ts'
import { Header, Notice } from '../../ui/public/parts.tsx'
import type { WaitingProps } from './data.ts'
import { dayName } from './dates.ts'

/** One's own request on the waiting list. Looking at it changes nothing. */
export function WaitingPage({ token, waiter, refusal }: WaitingProps) {
  return (
    <main class="page" data-status={waiter.status}>
      <Header place="" />
      <h1 class="title">{t(`booking.waiter_${waiter.status}`)}</h1>
      <Notice text={refusal} kind="danger" />
      <div class="card" data-past={waiter.status !== 'waiting'}>
        <p>
          {t('booking.wait_from')} <strong>{dayName(waiter.from_day)}</strong>
        </p>
        <p>
          {t('booking.wait_to')} <strong>{dayName(waiter.to_day)}</strong>
        </p>
      </div>
      {waiter.status === 'waiting' && (
        <>
          <p>{t('booking.wait_hint')}</p>
          <form method="post" action={`/w/${token}?lang=${currentLanguage()}`} class="bottom">
            <button class="button wide">{t('booking.wait_leave')}</button>
          </form>
        </>
      )}
    </main>
  )
}
