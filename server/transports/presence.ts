import type { Tenant } from '../kernel/operation.ts'
import type { Connection } from './connection.ts'
import type { Presence } from './live.ts'

export interface PresenceOptions {
  report(tenant: Tenant, heard: { agent_ids: number[]; device_ids: number[] }): Promise<unknown>
  /** Notes who has fallen silent, whichever process had them. */
  sweep(): Promise<unknown>
  onError(error: unknown): void
  /** Whoever is connected is reported this often: well within the silence after which somebody is gone. */
  reportEveryMs?: number
  sweepEveryMs?: number
}

/** Comings and goings are reported together. */
const GATHER_MS = 200

/** Tells the database who is connected to this process. A process that dies just stops telling. */
export class ConnectedPeople implements Presence {
  #options: PresenceOptions
  #tenants = new Map<number, Tenant>()
  /** Connections by tenant and `agent:3`: several tabs are one agent. */
  #counts = new Map<number, Map<string, number>>()
  #fresh = new Map<number, Set<string>>()
  #gathering: NodeJS.Timeout | null = null
  #timers: NodeJS.Timeout[]

  constructor(options: PresenceOptions) {
    this.#options = options
    const { reportEveryMs = 8000, sweepEveryMs = 4000 } = options
    this.#timers = [
      setInterval(() => this.#reportAll(), reportEveryMs).unref(),
      setInterval(() => void options.sweep().catch(options.onError), sweepEveryMs).unref(),
    ]
  }

  came(connection: Connection): void {
    this.#count(connection, 1)
  }
  /** Somebody who goes was there until now. */
  went(connection: Connection): void {
    this.#count(connection, -1)
  }
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
    if (this.#gathering) clearTimeout(this.#gathering)
  }

  #count({ tenant, presence }: Connection, change: number) {
    if (!tenant || !presence) return
    const name = `${presence.kind}:${presence.id}`
    this.#tenants.set(tenant.id, tenant)
    const counts = this.#counts.getOrInsertComputed(tenant.id, () => new Map<string, number>())
    const count = (counts.get(name) ?? 0) + change
    if (count > 0) counts.set(name, count)
    else counts.delete(name)
    this.#fresh.getOrInsertComputed(tenant.id, () => new Set<string>()).add(name)
    this.#gathering ??= setTimeout(() => this.#reportFresh(), GATHER_MS).unref()
  }

  #reportFresh() {
    this.#gathering = null
    for (const [tenantId, names] of this.#fresh) this.#report(tenantId, names)
    this.#fresh.clear()
  }

  #reportAll() {
    for (const [tenantId, counts] of this.#counts) {
      if (counts.size > 0) this.#report(tenantId, counts.keys())
      else this.#counts.delete(tenantId)
    }
  }

  #report(tenantId: number, names: Iterable<string>) {
    const heard = { agent_ids: [] as number[], device_ids: [] as number[] }
    for (const name of names) {
      const [kind, id] = name.split(':')
      heard[kind === 'agent' ? 'agent_ids' : 'device_ids'].push(Number(id))
    }
    this.#options.report(this.#tenants.get(tenantId)!, heard).catch(this.#options.onError)
  }
}
