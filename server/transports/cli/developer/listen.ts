import { setTimeout as sleep } from 'node:timers/promises'
import { eventsList, type Event } from '../../../../sdk/src/index.ts'
import { now } from '../../../kernel/clock.ts'
import { signedHeaders } from '../../../modules/webhooks/index.ts'
import { complain, print } from '../output.ts'
import { connect, type Kept } from './credentials.ts'

const POLL_MS = 400
const ANSWER_MS = 10_000
/** A receiver that is being written starts again now and then. */
const TRIES = 3
const BETWEEN_TRIES_MS = 300

/** Sends what happens from now on to an address on this machine, signed as the server would. Ends with the program. */
export async function listen(
  forwardTo: string,
  flags: Kept & { events?: string[]; since?: string },
  signal?: AbortSignal,
): Promise<void> {
  const { client, tenant, webhook_secret } = connect(flags)
  if (!URL.canParse(forwardTo) || !/^https?:/.test(forwardTo)) throw new Error(`${forwardTo} is no http address`)
  // From the end of the log as it is before the first line is printed: who reads that line misses nothing.
  const from = flags.since ? { since: flags.since } : { after: (await client.call(eventsList, { after: 'now' })).next }
  print(`Forwarding events of ${tenant} to ${forwardTo}\nSecret of their signatures: ${webhook_secret}`)
  const choice = { ...(flags.events && { types: flags.events }), ...(signal && { signal }) }
  for await (const { event } of client.events({ pollMs: POLL_MS, ...from, ...choice })) {
    const said = await forward(forwardTo, event, webhook_secret)
    print(`${event.timestamp}  ${event.type.padEnd(22)} ${event.id}  ${said}`)
  }
}

/** @returns what the receiver answered, for people */
export async function forward(address: string, event: Event, secret: string): Promise<string> {
  const body = JSON.stringify(event)
  for (let attempt = 1; ; attempt++) {
    try {
      const { status } = await fetch(address, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json',
          ...signedHeaders(event.id, Math.floor(now() / 1000), body, [secret]),
        },
        body,
        signal: AbortSignal.timeout(ANSWER_MS),
      })
      return String(status)
    } catch (error) {
      if (attempt === TRIES) {
        complain(`${event.id}: ${error instanceof Error ? (error.cause ?? error) : error}`)
        return 'not taken'
      }
      await sleep(BETWEEN_TRIES_MS)
    }
  }
}
