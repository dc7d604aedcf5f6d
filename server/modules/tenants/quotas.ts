import Type, { type Static } from 'typebox'
import { MANAGERS, systemActor } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { eachTenant, type Job } from '../../kernel/jobs/index.ts'
import { operation, type Operation } from '../../kernel/operation.ts'
import { Closed, Id, Nullable, Slug } from '../../kernel/schema.ts'
import { storageOf } from './storage-quotas.ts'

const Amount = Nullable(
  Type.Integer({ minimum: 0, maximum: 1_000_000_000, description: 'null: what every organisation has' }),
)
/** What an organisation may use, where it differs from what every one has. */
const quotaFields = {
  requests_per_minute: Amount,
  /** Changes by strangers, such as tickets taken by phone. */
  public_per_minute: Amount,
  /** Live connections open at once, in each process. */
  sockets: Amount,
  /** Soft: nobody is refused at the door, administrators are told. */
  tickets_per_day: Amount,
  /** Pictures and films; a further one is refused. */
  media_megabytes: Amount,
  /** Recorded words. */
  voice_megabytes: Amount,
}
const Bytes = Type.Integer({ minimum: 0 })
const Quotas = Closed(quotaFields)
type Quotas = Static<typeof Quotas>
const NAMES = Object.keys(quotaFields) as (keyof Quotas)[]

const Answer = Closed({ tenant: Closed({ id: Id, slug: Slug }), quotas: Quotas })
const platform = { scope: 'admin:tenant', roles: ['operator', 'system'] } as const
const path = '/platform/tenants/{id}/quotas/'

async function quotasOf(tx: Tx, id: number): Promise<Static<typeof Answer>> {
  const tenant = await tx.one<{ id: number; slug: string }>('select id, slug from tenants where id = $1', [id])
  const rows = await tx.query<{ quota: keyof Quotas; amount: number }>('select quota, amount from app.quotas_of($1)', [
    id,
  ])
  const known = new Map(rows.map(({ quota, amount }) => [quota, amount]))
  return { tenant, quotas: Object.fromEntries(NAMES.map((name) => [name, known.get(name) ?? null])) as Quotas }
}

const get = operation({
  id: 'tenants.quotas',
  kind: 'query',
  summary: 'What an organisation may use',
  ...platform,
  http: { method: 'GET', path, base: 'root' },
  input: Closed({ id: Id }),
  output: Answer,
  example: { input: { id: 1 } },
  run: ({ tx }, { id }) => quotasOf(tx, id),
})

const set = operation({
  id: 'tenants.setQuotas',
  kind: 'mutation',
  summary: 'Change what an organisation may use',
  description: 'Takes effect within a minute. What is not named stays.',
  ...platform,
  http: { method: 'PATCH', path, base: 'root' },
  input: Closed({
    id: Id,
    requests_per_minute: Type.Optional(quotaFields.requests_per_minute),
    public_per_minute: Type.Optional(quotaFields.public_per_minute),
    sockets: Type.Optional(quotaFields.sockets),
    tickets_per_day: Type.Optional(quotaFields.tickets_per_day),
    media_megabytes: Type.Optional(quotaFields.media_megabytes),
    voice_megabytes: Type.Optional(quotaFields.voice_megabytes),
  }),
  output: Answer,
  example: { input: { id: 1, tickets_per_day: 5000 } },
  async run(ctx, { id, ...wanted }) {
    const before = await quotasOf(ctx.tx, id)
    for (const name of NAMES)
      if (wanted[name] !== undefined) await ctx.tx.query('select app.set_quota($1, $2, $3)', [id, name, wanted[name]])
    const after = await quotasOf(ctx.tx, id)
    ctx.record({ before: before.quotas, after: after.quotas })
    return after
  },
})

/** Tickets of the organisation's day, counted no further than one beyond the quota. */
const USED = `
  select q.amount, (now() at time zone t.timezone)::date as day,
    (select count(*) from (
       select from tickets k where k.tenant_id = t.id
         and k.created_at >= (now() at time zone t.timezone)::date::timestamp at time zone t.timezone
       limit coalesce(q.amount, 0) + 1) counted)::int as used
  from tenants t left join tenant_quotas q on q.tenant_id = t.id and q.quota = 'tickets_per_day' where t.id = $1`
interface Used {
  amount: number | null
  day: string
  used: number
}

const usage = operation({
  id: 'tenants.usage',
  kind: 'query',
  summary: 'What does the organisation use, and does it take more tickets than it may?',
  description: 'For the console. Nobody is refused a ticket for it.',
  scope: 'read:tenant',
  roles: MANAGERS,
  http: { method: 'GET', path: '/usage/' },
  input: Closed({}),
  output: Closed({
    tickets_per_day: Amount,
    is_exceeded: Type.Boolean(),
    media_bytes: Bytes,
    media_most_bytes: Bytes,
    voice_bytes: Bytes,
    voice_most_bytes: Bytes,
  }),
  example: { input: {} },
  pool: 'reports',
  async run({ tx, tenant }) {
    const { amount, used } = await tx.one<Used>(USED, [tenant.id])
    const media = await storageOf(tx, 'media_megabytes')
    const voice = await storageOf(tx, 'voice_megabytes')
    return {
      tickets_per_day: amount,
      is_exceeded: amount !== null && used > amount,
      media_bytes: media.bytes,
      media_most_bytes: media.mostBytes,
      voice_bytes: voice.bytes,
      voice_most_bytes: voice.mostBytes,
    }
  },
})

const check = operation({
  id: 'tenants.checkQuotas',
  kind: 'mutation',
  summary: 'Tell once a day that the organisation takes more tickets than it may',
  scope: 'admin:tenant',
  roles: ['system'],
  http: { method: 'POST', path: '/usage/check/' },
  input: Closed({}),
  output: Closed({ is_told: Type.Boolean() }),
  example: { input: {} },
  async run({ tx, tenant, emit }) {
    const { amount, day, used } = await tx.one<Used>(USED, [tenant.id])
    if (amount === null || used <= amount) return { is_told: false }
    const first = await tx.maybe(
      `insert into quota_notices (quota, day) values ('tickets_per_day', $1) on conflict do nothing returning quota`,
      [day],
    )
    if (first) emit({ type: 'quota.exceeded', site_id: 0, data: { quota: 'tickets_per_day', amount, day } })
    return { is_told: first !== undefined }
  },
})

const checkQuotas: Job = {
  name: 'tenants.check_quotas',
  schedule: '*/5 * * * *',
  async run({ runtime, tenants }) {
    await eachTenant(await tenants(), async (tenant) => {
      const input = {}
      await runtime.execute(check, { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input })
    })
  },
}

export const quotaJobs: readonly Job[] = [checkQuotas]
export const quotaOperations: readonly Operation[] = [get, set, usage, check]
