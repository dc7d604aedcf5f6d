import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { Hosts } from './hosts.ts'
import type { Listening } from './types.ts'

/** A connection that vanished without a word is noticed after the sum of both and replaced at once. */
const PING_EVERY_MS = 5_000
const PING_TIMEOUT_MS = 3_000
const RECONNECT_MS = [50, 200, 500, 1_000, 2_000] as const
/** What is left to a connection that is given up in good order. */
const GOODBYE_MS = 500

/**
 * LISTEN on a connection of its own. A half-open connection is noticed by pings and replaced; `onReconnect` then says
 * that notifications may have been missed. Notifications are hints only: whoever needs all of them reads a log.
 * @throws when the first connection fails
 */
export async function listen(
  url: string,
  channel: string,
  onMessage: (payload: string) => void,
  onReconnect: () => void,
): Promise<Listening> {
  let stopped = false
  let client = await connect()
  const pings = setInterval(() => void ping(client), PING_EVERY_MS).unref()

  function connect(): Promise<pg.Client> {
    return Hosts.of(url).connect(url, connectTo, cut)
  }

  async function connectTo(url: string): Promise<pg.Client> {
    const fresh = new pg.Client({
      connectionString: url,
      application_name: 'smartqueue listen',
      connectionTimeoutMillis: PING_TIMEOUT_MS,
      keepAlive: true,
      pipeline: true,
    })
    fresh.on('notification', ({ payload = '' }) => onMessage(payload))
    fresh.on('error', () => {})
    try {
      await fresh.connect()
      // A hint need not reach the disk, and nobody else's commit must wait for that.
      await within(
        Promise.all([
          fresh.query('set synchronous_commit = off'),
          fresh.query(`listen ${pg.escapeIdentifier(channel)}`),
        ]),
        PING_TIMEOUT_MS,
      )
    } catch (error) {
      cut(fresh)
      throw error
    }
    fresh.once('end', () => void reconnect())
    return fresh
  }

  async function reconnect(): Promise<void> {
    for (let attempt = 0; !stopped; attempt++) {
      await delay(RECONNECT_MS[Math.min(attempt, RECONNECT_MS.length - 1)], undefined, { ref: false })
      if (stopped) return
      try {
        client = await connect()
        if (stopped) return await client.end()
        return onReconnect()
      } catch {
        // The server is still away; the next attempt follows.
      }
    }
  }

  async function ping(target: pg.Client): Promise<void> {
    await within(target.query('select 1'), PING_TIMEOUT_MS).catch(() => cut(target))
  }

  return {
    async notify(payload) {
      await within(client.query('select pg_notify($1, $2)', [channel, payload]), PING_TIMEOUT_MS)
    },
    async stop() {
      stopped = true
      clearInterval(pings)
      const last = client
      await within(last.end(), GOODBYE_MS).catch(() => cut(last))
    },
  }
}

function cut(client: pg.Client): void {
  client.connection.stream.destroy()
}

/** @throws when it takes longer */
async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms).unref()
  try {
    return await Promise.race([work, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
