import Type, { type Static } from 'typebox'
import { operation, type Context } from '../../../kernel/operation.ts'
import { Closed, Id, Time } from '../../../kernel/schema.ts'
import { queueConfigs } from '../../queues/index.ts'
import { seriesOf } from '../newcomer.ts'
import { cut, DAYS, OPEN } from './blocks.ts'
import { machineOf } from './machine.ts'

/** Numbers of a queue and day that a machine holds, where its settings do not say (`offline_numbers`). */
const DEFAULT_NUMBERS = 20

const Block = Closed({
  id: Id,
  queue_id: Id,
  first_serial: Type.Integer(),
  /** As people read them, in the order they are given: the first has `first_serial`. */
  numbers: Type.Array(Type.String()),
  /** So many of the first ones the server has heard of. */
  given: Type.Integer({ minimum: 0 }),
  starts_at: Time,
  expires_at: Time,
})
const BLOCKS = `
  select b.id, b.queue_id, b.first_serial, b.numbers, b.starts_at, b.expires_at, coalesce((
      select max(t.serial) + 1 - b.first_serial from tickets t where t.series_queue_id = b.queue_id and t.series_day = b.day
        and t.serial >= b.first_serial and t.serial < b.first_serial + cardinality(b.numbers)), 0)::int as given
  from number_blocks b where b.device_id = $1 and b.expires_at > now() order by b.starts_at, b.id`

export const reserveNumbers = operation({
  id: 'tickets.reserveNumbers',
  kind: 'mutation',
  summary: 'A ticket machine asks for numbers it may give without a network',
  description:
    'Of each of its queues, for today and tomorrow; what it holds already is topped up when less than half is left. Nobody else is ever given them. A daily series gives its last numbers, so that those called have no gap.',
  scope: 'write:ticket',
  roles: ['kiosk'],
  unaudited: 'every machine asks by itself through the day; each block keeps who holds it',
  http: { method: 'POST', path: '/tickets/reserve-numbers/' },
  input: Closed({}),
  output: Closed({
    now: Time,
    /** A visitor’s page is at `url` + 22 random base62 characters. */
    url: Type.String(),
    blocks: Type.Array(Block),
  }),
  example: { input: {} },
  async run(ctx) {
    const machine = await machineOf(ctx)
    const wanted = machine.settings.offline_numbers ?? DEFAULT_NUMBERS
    if (wanted > 0) await topUp(ctx, machine.id, machine.queue_ids, wanted)
    const { now } = await ctx.tx.one<{ now: string }>('select clock_timestamp() as now')
    const blocks = wanted > 0 ? await ctx.tx.query<Static<typeof Block>>(BLOCKS, [machine.id]) : []
    return { now, url: ctx.url(`/t/${ctx.tenant.id.toString(36)}-`), blocks }
  },
})

async function topUp(ctx: Context, deviceId: number, queueIds: readonly number[], wanted: number): Promise<void> {
  const { tx } = ctx
  // One machine is not served twice at once.
  await tx.query('select from devices where id = $1 for no key update', [deviceId])
  await tx.query(`delete from number_blocks where device_id = $1 and expires_at < now() - interval '30 days'`, [
    deviceId,
  ])
  const open = await tx.query<{ queue_id: number; day: string; left: number }>(OPEN, [deviceId])
  const left = new Map(open.map((row) => [`${row.queue_id} ${row.day}`, row.left]))
  const configs = await queueConfigs(ctx, queueIds)
  for (const id of queueIds.toSorted((a, b) => a - b)) {
    const series = seriesOf(configs.get(id)!)
    const days = await tx.query<{ day: string; starts_at: string; expires_at: string }>(DAYS, [
      series.timezone,
      series.daily,
    ])
    for (const { day, starts_at, expires_at } of days) {
      if ((left.get(`${id} ${day}`) ?? 0) * 2 >= wanted) continue
      const block = await cut(tx, series, day, wanted)
      if (!block) continue
      await tx.query(
        `insert into number_blocks (queue_id, device_id, day, first_serial, numbers, starts_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [id, deviceId, day, block.first_serial, block.numbers, starts_at, expires_at],
      )
    }
  }
}
