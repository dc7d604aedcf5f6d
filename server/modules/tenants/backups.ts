import Type, { type Static } from 'typebox'
import { operation, type Operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Time } from '../../kernel/schema.ts'
import { bytesOf, type StorageQuota } from './storage-quotas.ts'

const platform = { scope: 'admin:tenant', roles: ['operator', 'system'] } as const

const Backup = Closed({
  name: Type.String({ description: 'Of its directory' }),
  kind: Enum(['logical', 'server']),
  at: Time,
  duration_seconds: Type.Number({ minimum: 0 }),
  row_count: Nullable(Type.Integer({ minimum: 0 })),
  verified_at: Nullable(Time),
  is_well: Nullable(Type.Boolean()),
})
type Backup = Static<typeof Backup>
const Age = Nullable(Type.Number({ minimum: 0 }))

const backups = operation({
  ...platform,
  id: 'platform.backups',
  kind: 'query',
  summary: 'When backups were made, and what came of restoring them on trial',
  description:
    '`smartqueue backup` and `backup verify` put on record what they did; backups made otherwise are not known.',
  http: { method: 'GET', path: '/platform/backups/', base: 'root' },
  input: Closed({}),
  output: Closed({ results: Type.Array(Backup), newest_age_seconds: Age, trial_age_seconds: Age }),
  example: { input: {} },
  async run({ tx }) {
    const results = await tx.query<Backup>(
      `select ${Object.keys(Backup.properties).join(', ')} from backup_runs order by at desc, name limit 50`,
    )
    const ages = await tx.one<{ newest_age_seconds: number | null; trial_age_seconds: number | null }>(
      `select extract(epoch from now() - max(at))::double precision as newest_age_seconds,
         extract(epoch from now() - max(verified_at) filter (where is_well))::double precision as trial_age_seconds
       from backup_runs`,
    )
    return { results, ...ages }
  },
})

const Count = Type.Integer({ minimum: 0 })
const DAYS = 30
const usage = operation({
  ...platform,
  id: 'tenants.used',
  kind: 'query',
  summary: 'What an organisation used and cost in the last thirty days',
  http: { method: 'GET', path: '/platform/tenants/{id}/usage/', base: 'root' },
  input: Closed({ id: Id }),
  output: Closed({
    days: Count,
    tickets: Count,
    messages: Count,
    cost_micros: Type.Integer({ minimum: 0, description: 'Millionths of the currency that prices are in' }),
    media_bytes: Count,
    media_most_bytes: Count,
    voice_bytes: Count,
    voice_most_bytes: Count,
  }),
  example: { input: { id: 1 } },
  async run({ tx }, { id }) {
    await tx.one('select from tenants where id = $1', [id])
    const used = await tx.one<{ tickets: number; messages: number; cost_micros: number; media_bytes: number }>(
      `select tickets, messages, cost_micros, media_bytes from app.tenant_usage($1, now() - make_interval(days => $2))`,
      [id, DAYS],
    )
    const { voice_bytes } = await tx.one<{ voice_bytes: number }>('select app.voice_usage($1) as voice_bytes', [id])
    const quotas = await tx.query<{ quota: string; amount: number }>('select quota, amount from app.quotas_of($1)', [
      id,
    ])
    const most = (name: StorageQuota) => bytesOf(name, quotas.find(({ quota }) => quota === name)?.amount)
    return {
      days: DAYS,
      ...used,
      media_most_bytes: most('media_megabytes'),
      voice_bytes,
      voice_most_bytes: most('voice_megabytes'),
    }
  },
})

export const backupOperations: readonly Operation[] = [backups, usage]
