import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

const PING_EVERY_MS = 10_000
const PING_TIMEOUT_MS = 5_000
const RECONNECT_MS = [50, 200, 500, 1_000, 2_000] as const

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
): Promise<() => Promise<void>> {
  let stopped = false
  let client = await connect()
  const pings = setInterval(() => void ping(client), PING_EVERY_MS).unref()

  async function connect(): Promise<pg.Client> {
    const fresh = new pg.Client({
      connectionString: url,
      application_name: 'smartqueue listen',
      connectionTimeoutMillis: PING_TIMEOUT_MS,
      keepAlive: true,
    })
    fresh.on('notification', ({ payload = '' }) => onMessage(payload))
    fresh.on('error', () => {})
    try {
      await fresh.connect()
      await fresh.query(`listen ${pg.escapeIdentifier(channel)}`)
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
    const timer = setTimeout(() => cut(target), PING_TIMEOUT_MS).unref()
    await target.query('select 1').catch(() => cut(target))
    clearTimeout(timer)
  }

  return async () => {
    stopped = true
    clearInterval(pings)
    await client.end()
  }
}

function cut(client: pg.Client): void {
  client.connection.stream.destroy()
}
