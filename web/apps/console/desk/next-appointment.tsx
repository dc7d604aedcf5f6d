import { useEffect, useState } from 'react'
import { appointmentsList } from '../../../data/operations.ts'
import { clockTime } from '../../../ui/format.ts'
import { t } from '../../../ui/messages.ts'
import { Code, Icon } from '../../../ui/parts/react.ts'
import type { Acts } from './state/acts.ts'
import { serverNow, useSecond } from '../state/clock.ts'

const AGAIN_MS = 60_000
/** Further away is another shift. */
const SOON_MS = 8 * 3_600_000

/** When somebody comes who has an appointment in one of the agent's lines. */
export function NextAppointment({ acts }: { acts: Acts }) {
  const { desk } = acts
  const { site } = desk.catalogue
  const own = desk.state.view!.queues.map(({ id }) => id).join()
  const [at, setAt] = useState<string>()
  const now = useSecond()
  useEffect(() => {
    let isWanted = true
    const look = () => {
      const day = (instant: number) => new Intl.DateTimeFormat('en-CA', { timeZone: site.timezone }).format(instant)
      const [from, to] = [day(serverNow()), day(serverNow() + SOON_MS)]
      const lines = new Set(own.split(',').map(Number))
      const input = { site: site.id, status: ['booked' as const], from, to, limit: 200 }
      desk.run(appointmentsList, input).then(
        ({ results }) => {
          const isNext = (ms: number) => ms > 0 && ms < SOON_MS
          const next = results.find(
            ({ queue_id, start_at }) => lines.has(queue_id) && isNext(Date.parse(start_at) - serverNow()),
          )
          if (isWanted) setAt(next?.start_at)
        },
        () => {},
      )
    }
    look()
    const timer = setInterval(look, AGAIN_MS)
    return () => {
      isWanted = false
      clearInterval(timer)
    }
  }, [desk, site, own])
  if (at === undefined) return null
  const minutes = Math.max(0, Math.round((Date.parse(at) / 1000 - now) / 60))
  return (
    <p className="appointment" data-appointment={at}>
      <Icon name="calendar" />{' '}
      <span>
        {t('console.next_appointment')} <Code>{clockTime(at, site.timezone)}</Code> ·{' '}
        {t('console.in_minutes', { count: minutes })}
      </span>
    </p>
  )
}
