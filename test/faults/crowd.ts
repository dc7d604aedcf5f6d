import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import type { Direct } from '../../server/kernel/db/index.ts'
import { aTenant } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { applyEvent, type Board, type LiveEvent } from '../../shared/board.ts'
import { LiveClient } from '../../shared/live-client.ts'

export interface CrowdReport {
  sockets: number
  /** Until the last one was back. */
  seconds: number
  /** Transactions of the database meanwhile; each statement of a follower's is one of its own. */
  statements: number
}

/** Everybody loses the connection in the same instant and comes back, as after a switch was restarted. */
export async function crowd(owner: Direct['query'], ports: readonly number[], sockets: number): Promise<CrowdReport> {
  const fixture = await aTenant(owner, { slug: 'crowd' })
  const token = tokenOf(fixture.admin, 3600)
  const open = new Set<WebSocket>()
  class Noted extends WebSocket {
    constructor(address: string, protocols?: string[]) {
      super(address, protocols)
      this.on('open', () => open.add(this))
      this.on('close', () => open.delete(this))
    }
  }
  const clients: LiveClient<Board, LiveEvent>[] = []
  const isBack = () => open.size === sockets && clients.every(({ view }) => view !== null)
  try {
    for (let n = 0; n < sockets; n++) {
      const url = `ws://127.0.0.1:${ports[n % ports.length]}/ws/tenants/crowd/queues/${fixture.queues[0]!.id}/`
      clients.push(
        new LiveClient<Board, LiveEvent>({
          address: () => ({ url, protocols: ['smartqueue.v1', `bearer.${token}`] }),
          WebSocket: Noted,
          reduce: applyEvent,
          minDelaySeconds: 2,
        }),
      )
      if (n % 100 === 99) await sleep(50)
    }
    while (!isBack()) await sleep(20)
    const before = await transactions(owner)
    const started = performance.now()
    for (const socket of open) socket.terminate()
    open.clear()
    while (!isBack()) await sleep(20)
    const seconds = (performance.now() - started) / 1000
    return { sockets, seconds, statements: (await transactions(owner)) - before }
  } finally {
    for (const client of clients) client.close()
  }
}

/** Backends tell of what they did up to a second later. */
async function transactions(owner: Direct['query']): Promise<number> {
  await sleep(1500)
  const [row] = await owner<{ count: number }>(
    'select (xact_commit + xact_rollback)::int as count from pg_stat_database where datname = current_database()',
  )
  return row!.count
}
