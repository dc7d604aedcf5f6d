import { setTimeout as sleep } from 'node:timers/promises'
import { eachSite, eachTenant, type Job, type JobContext } from '../../kernel/jobs/index.ts'
import type { Tenant } from '../../kernel/operation.ts'
import { act } from './inbound/act.ts'
import { ACT } from './inbound/receive.ts'
import { listen, watch } from './listen.ts'
import { enqueueSend, planNext, SEND, WAKE } from './plan.ts'
import { retentionJob } from './retention.ts'
import { LEASE_SECONDS, sendMessage, wakeForPage } from './sending/send.ts'
import { ESCALATE } from './sending/settle.ts'

const LISTEN_EVERY_MS = 1000
/** Looking after messages whose sender died, every so many rounds. */
const RECOVER_EVERY = 5

async function inTenant(
  { tenants }: JobContext,
  payload: Record<string, unknown>,
  run: (tenant: Tenant, id: number) => Promise<void>,
): Promise<void> {
  const tenant = (await tenants()).find(({ id }) => id === payload['tenant_id'])
  if (tenant) await run(tenant, Number(payload['message_id']))
}

/** Takes in what happened at every site with rules since the last time. */
export async function listenToAll({ runtime, tenants }: JobContext): Promise<void> {
  const sites = await runtime.db.platform((tx) =>
    tx.query<{ tenant_id: number; site_id: number }>('select tenant_id, site_id from app.notification_backlog()'),
  )
  if (sites.length === 0) return
  const { db, hub } = runtime
  await eachTenant(await tenants(), (tenant) =>
    eachSite(
      sites.filter(({ tenant_id }) => tenant_id === tenant.id).map(({ site_id }) => site_id),
      async (siteId) => {
        while (await db.tenant(tenant.id, (tx) => listen({ tx, tenant, hub }, siteId)));
      },
    ),
  )
}

/** Gives a new job to each message that nobody looks after any more. */
export async function recover({ runtime }: JobContext): Promise<void> {
  const { db } = runtime
  const lost = await db.platform((tx) =>
    tx.query<{ tenant_id: number; message_id: number }>(
      `select tenant_id, message_id from app.messages_in_limbo(${LEASE_SECONDS})`,
    ),
  )
  for (const [tenantId, own] of Map.groupBy(lost, ({ tenant_id }) => tenant_id))
    await db.tenant(tenantId, async (tx) => {
      for (const { message_id } of own) await enqueueSend(tx, tenantId, message_id)
    })
}

async function watchAll({ runtime, tenants }: JobContext): Promise<void> {
  await eachTenant(await tenants(), async (tenant) => {
    const sites = await runtime.db
      .reader(tenant.id)
      .query<{ site_id: number }>('select site_id from notification_cursors order by site_id')
    await eachSite(
      sites.map(({ site_id }) => site_id),
      (siteId) => runtime.db.tenant(tenant.id, (tx) => watch({ tx, tenant, hub: runtime.hub }, siteId)),
    )
  })
}

/**
 * Follows the log while the process runs jobs. Any number of workers may: a site is taken in by one at a time.
 * @returns stops it, when the round in progress has ended
 */
export function followLog(context: JobContext, onError: (error: unknown) => void): () => Promise<void> {
  const ending = new AbortController()
  async function follow() {
    for (let round = 0; !ending.signal.aborted; round++) {
      try {
        await listenToAll(context)
        if (round % RECOVER_EVERY === 0) await recover(context)
      } catch (error) {
        onError(error)
      }
      await sleep(LISTEN_EVERY_MS, undefined, { signal: ending.signal, ref: false }).catch(() => {})
    }
  }
  const following = follow()
  return () => {
    ending.abort()
    return following
  }
}

export const jobs: readonly Job[] = [
  {
    name: SEND,
    run: (context, payload) => inTenant(context, payload, (tenant, id) => sendMessage(context.runtime, tenant, id)),
  },
  {
    name: WAKE,
    run: (context, payload) => inTenant(context, payload, (tenant, id) => wakeForPage(context.runtime, tenant, id)),
  },
  {
    name: ESCALATE,
    run: (context, payload) =>
      inTenant(context, payload, (tenant, id) =>
        context.runtime.db.tenant(tenant.id, async (tx) => {
          const waiting = await tx.maybe(`select id from messages where id = $1 and status = 'sent'`, [id])
          if (waiting) await planNext(tx, tenant, id)
        }),
      ),
  },
  {
    name: ACT,
    run: (context, payload) => inTenant(context, payload, (tenant, id) => act(context.runtime, tenant, id)),
  },
  retentionJob,
  { name: 'notifications.watch', schedule: '* * * * *', run: watchAll },
]
