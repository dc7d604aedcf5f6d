import { useEffect, useState } from 'react'
import type { Ticket } from '../../../../shared/board.ts'
import { messagesList, type MessagesList } from '../../../data/operations.ts'
import { clockTime } from '../../../ui/format.ts'
import { t } from '../../../ui/messages.ts'
import { Code, Icon } from '../../../ui/parts/react.ts'
import type { Acts } from './state/acts.ts'

/** Messages are on their way for some seconds: looked at again while the person is at the counter. */
const AGAIN_MS = 10_000

/** Whether what was written last reached the person, or what they wrote. */
export function LastMessage({ ticket, acts }: { ticket: Ticket; acts: Acts }) {
  const { desk } = acts
  const [message, setMessage] = useState<MessagesList['results'][number]>()
  useEffect(() => {
    let isWanted = true
    const look = () =>
      void desk.run(messagesList, { ticket_id: ticket.id }).then(
        ({ results }) => isWanted && setMessage(results.at(-1)),
        () => {},
      )
    look()
    const timer = setInterval(look, AGAIN_MS)
    return () => {
      isWanted = false
      clearInterval(timer)
    }
  }, [desk, ticket.id, ticket.status, ticket.call_count])
  if (!message) return null
  const { channel, status, direction, body, delivered_at, sent_at, created_at } = message
  const isBad = status === 'failed' || status === 'expired'
  return (
    <p className="last-message" data-message={status}>
      <Icon name={isBad ? 'alert' : direction === 'in' ? 'phone' : status === 'delivered' ? 'check' : 'clock'} />{' '}
      <span className="muted">{t('console.messages')}</span> {t('console.message_channel', { channel })} ·{' '}
      {t('console.message_status', { status })}{' '}
      <Code>{clockTime(delivered_at ?? sent_at ?? created_at, desk.catalogue.site.timezone)}</Code>
      {direction === 'in' && <q dir="auto">{body}</q>}
    </p>
  )
}
