import { setTimeout as sleep } from 'node:timers/promises'
import { Api } from '../faults/api.ts'
import type { TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'

interface Take {
  id: number
  /** When the answer was here, on the monotonic clock. */
  at: number
}
export interface Takers {
  /** Acknowledged, in the order of the answers. */
  readonly takes: readonly Take[]
  readonly failures: readonly { at: number; status: number }[]
  stop(): Promise<void>
}

/** Visitors who take tickets, each as soon as the one before is there. */
export function takers(ports: readonly number[], fixture: TenantFixture, count: number, restMs = 0): Takers {
  const takes: Take[] = []
  const failures: { at: number; status: number }[] = []
  const apis = ports.map((port) => new Api(port, fixture.tenant.slug))
  const kiosk = tokenOf(fixture.kiosk, 4 * 3600)
  const queue = fixture.queues[0]!.id
  let isOver = false
  const working = Promise.all(
    Array.from({ length: count }, async (_, n) => {
      for (let i = n; !isOver; i++) {
        const api = apis[i % apis.length]!
        const answer = await api.post('/tickets/', kiosk, { queue_id: queue, channel: 'kiosk' }).catch(() => null)
        const at = performance.now()
        if (answer?.status === 201) takes.push({ id: (JSON.parse(answer.body) as { id: number }).id, at })
        else failures.push({ at, status: answer?.status ?? 0 })
        if (restMs > 0 || answer?.status !== 201) await sleep(Math.max(restMs, 5))
      }
    }),
  )
  return {
    takes,
    failures,
    async stop() {
      isOver = true
      await working
      for (const api of apis) api.close()
    },
  }
}
