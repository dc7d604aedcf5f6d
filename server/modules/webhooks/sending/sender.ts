import { setTimeout as sleep } from 'node:timers/promises'
import { systemActor } from '../../../kernel/access.ts'
import type { JobContext } from '../../../kernel/jobs/index.ts'
import { countWebhook } from '../../../kernel/metrics.ts'
import type { Tenant } from '../../../kernel/operation.ts'
import { disable } from '../endpoint.ts'
import { attempt } from './attempt.ts'
import { claimDeliveries, PARALLEL, settleDelivery, type Claimed } from './store.ts'
import { takeInAll } from './take-in.ts'

/** How often the log and what is due are looked at. */
const ROUND_MS = 250
/** Attempts on their way from this process: they only wait, so there may be many. */
const MOST_AT_ONCE = 256
/** Of them those of one organisation, so that its receivers keep no other's waiting. */
const MOST_OF_TENANT = 32

export type Note = (level: 'info' | 'warn', message: string, meta: Record<string, unknown>) => void

/**
 * Follows the log and sends what endpoints want to be told. Attempts do not use the workers' few places: a receiver that
 * takes its time holds one of its own four and nobody else's. Any number of processes may run it.
 */
export class Sender {
  #context: JobContext
  #note: Note
  #ending = new AbortController()
  #running: Promise<void>
  #onItsWay = new Set<Promise<void>>()
  #ofTenant = new Map<number, number>()

  constructor(context: JobContext, note: Note) {
    this.#context = context
    this.#note = note
    this.#running = this.#run()
  }

  /** Ends when what is on its way has been answered and noted. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#running
    await Promise.all(this.#onItsWay)
  }

  async #run() {
    while (!this.#ending.signal.aborted) {
      try {
        await this.#round()
      } catch (error) {
        this.#note('warn', 'webhooks were not looked after', { err: error })
      }
      await sleep(ROUND_MS, undefined, { signal: this.#ending.signal, ref: false }).catch(() => {})
    }
  }

  async #round() {
    const { db } = this.#context.runtime
    await takeInAll(db, (err) => this.#note('warn', 'the log was not taken in for webhooks', { err }))
    const due = await db.platform((tx) =>
      tx.query<{ tenant_id: number; webhook_id: number }>('select tenant_id, webhook_id from app.webhooks_due()'),
    )
    if (due.length === 0) return
    const tenants = new Map((await this.#context.tenants()).map((tenant) => [tenant.id, tenant]))
    for (const { tenant_id, webhook_id } of due) {
      const tenant = tenants.get(tenant_id)
      if (!tenant) continue
      await this.#send(tenant, webhook_id).catch((err: unknown) =>
        this.#note('warn', 'a webhook was not looked after', { tenant_id, webhook_id, err }),
      )
    }
  }

  /** Sends what an endpoint may be sent now; each answer makes room for the next. */
  async #send(tenant: Tenant, webhookId: number): Promise<void> {
    const room = Math.min(
      MOST_AT_ONCE - this.#onItsWay.size,
      MOST_OF_TENANT - (this.#ofTenant.get(tenant.id) ?? 0),
      PARALLEL,
    )
    if (room <= 0 || this.#ending.signal.aborted) return
    const claimed = await this.#context.runtime.db.tenant(tenant.id, (tx) => claimDeliveries(tx, webhookId, room))
    for (const each of claimed) {
      this.#ofTenant.set(tenant.id, (this.#ofTenant.get(tenant.id) ?? 0) + 1)
      const sending = this.#deliver(tenant, each)
        .catch((err: unknown) =>
          this.#note('warn', 'what came of a webhook was not noted', { ...namesOf(tenant, each), err }),
        )
        .finally(() => {
          this.#onItsWay.delete(sending)
          this.#ofTenant.set(tenant.id, this.#ofTenant.get(tenant.id)! - 1)
        })
      this.#onItsWay.add(sending)
    }
  }

  async #deliver(tenant: Tenant, claimed: Claimed): Promise<void> {
    const { runtime } = this.#context
    const { isGone, ...result } = await attempt(tenant.slug, claimed)
    countWebhook(result.error_code ?? 'delivered', result.duration_ms / 1000)
    const turnOff = (cause: 'gone' | 'failing') =>
      runtime.execute(disable, {
        actor: systemActor(tenant.id),
        tenant,
        locale: tenant.locale,
        input: { id: claimed.webhook_id, cause },
      })
    // First, so that a process which dies in between has at most asked once more.
    if (isGone) await turnOff('gone')
    const hasFailedLong = await runtime.db.tenant(tenant.id, (tx) => settleDelivery(tx, claimed, result))
    if (hasFailedLong) await turnOff('failing')
    if (result.error_code !== null)
      this.#note('info', 'a webhook was not taken', {
        ...namesOf(tenant, claimed),
        error_code: result.error_code,
        status: result.status_code,
        attempt: claimed.attempt,
        duration_ms: result.duration_ms,
      })
    else await this.#send(tenant, claimed.webhook_id)
  }
}

const namesOf = (tenant: Tenant, { id, webhook_id }: Claimed) => ({ tenant_id: tenant.id, webhook_id, delivery_id: id })
