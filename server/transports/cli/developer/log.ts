import { eventsResend } from '../../../../sdk/src/index.ts'
import { print } from '../output.ts'
import { connect, type Kept } from './credentials.ts'
import { forward } from './listen.ts'

const POLL_MS = 400

/** Sends an event again: to the organisation's webhooks, or to an address on this machine as `listen` does. */
export async function resend(id: string, flags: Kept & { webhook?: string; forwardTo?: string }): Promise<void> {
  const { client, webhook_secret } = connect(flags)
  if (flags.forwardTo === undefined) {
    const webhook_id = flags.webhook === undefined ? {} : { webhook_id: Number(flags.webhook) }
    const { count } = await client.call(eventsResend, { event_id: id, ...webhook_id })
    return print(`${id}: ${count} to send`)
  }
  for await (const { event } of client.events(until(id))) {
    if (event.id !== id) continue
    return print(`${id}: ${await forward(flags.forwardTo, event, webhook_secret)}`)
  }
}
/** The log of the event's own stream. */
const until = (id: string) => {
  const site = Number(/^evt_(\d+)_/.exec(id)?.[1])
  if (!Number.isSafeInteger(site)) throw new Error(`${id} is no event’s id`)
  return { pollMs: POLL_MS, ...(site > 0 && { site }) }
}

/** Prints what happens to tickets, one line an event, until it is stopped. */
export async function tailTickets(
  flags: Kept & { queue?: string; since?: string },
  signal?: AbortSignal,
): Promise<void> {
  const { client } = connect(flags)
  const from = flags.since ? { since: flags.since } : { after: 'now' }
  const only = flags.queue ? { queue: Number(flags.queue) } : {}
  const given = { types: ['ticket.*'], pollMs: POLL_MS, ...from, ...only, ...(signal && { signal }) }
  for await (const { event } of client.events(given)) {
    const ticket = (event.data as { ticket?: { number?: string; status?: string; counter_name?: string | null } })
      .ticket
    const place = ticket?.counter_name ? ` → ${ticket.counter_name}` : ''
    print(
      `${event.timestamp}  ${event.type.padEnd(22)} ${(ticket?.number ?? '').padEnd(6)} ${ticket?.status ?? ''}${place}`,
    )
  }
}
