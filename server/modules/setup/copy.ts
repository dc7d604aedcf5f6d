import Type from 'typebox'
import { ADMINS } from '../../kernel/access.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Id, Name, Text } from '../../kernel/schema.ts'
import { act, constraintsOf, givable, make } from './nouns.ts'

const NOUNS = ['sites', 'queues', 'queue-rules', 'booking-settings', 'counters', 'displays', 'kiosks']
const Count = Type.Integer({ minimum: 0 })
type Row = Record<string, unknown> & { id: number; name: string }
interface Rule {
  name: string
  condition: object
  effect: { queue_id?: number }
}

export const copySite = operation({
  id: 'sites.copy',
  kind: 'mutation',
  summary: 'Make a new site like one that is there',
  description:
    'Zone, hours, queues with their settings and the rules in force, bookings, counters, displays and kiosks. Not its address and place, its people, ' +
    'machines and drafts of rules, nor anything about visitors.',
  scope: 'admin:tenant',
  roles: ADMINS,
  http: { method: 'POST', path: '/sites/{id}/copy/', status: 201 },
  input: Closed({ id: Id, name: Name, address: Type.Optional(Text(500)) }),
  output: Closed({
    site: Closed({ id: Id, name: Type.String(), slug: Type.String() }),
    queues: Count,
    rules: Count,
    counters: Count,
    displays: Count,
    kiosks: Count,
  }),
  example: { input: { id: 1, name: 'Annexe' } },
  constraints: constraintsOf(NOUNS),
  async run(ctx, { id, name, address }) {
    const source = await act<Row>(ctx, 'sites.get', { id })
    const {
      slug: _slug,
      address: _address,
      latitude: _latitude,
      longitude: _longitude,
      presence_radius_metres: _radius,
      ...like
    } = givable('sites', source)
    const site = (await make(ctx, 'sites', { ...like, name, ...(address !== undefined && { address }) })) as Row & {
      slug: string
    }
    /** The new queue of each old one. */
    const queues = new Map<number, number>()
    for (const row of await rowsOf(ctx, 'queues', id)) {
      const queue = await make(ctx, 'queues', { ...givable('queues', row), site_id: site.id })
      queues.set(row.id, queue.id)
    }
    let rules = 0
    for (const [old, queue_id] of queues) {
      const copied = await copyRules(ctx, old, queue_id, queues)
      rules += copied
    }
    for (const row of await bookingsOf(ctx, [...queues.keys()]))
      await make(ctx, 'booking-settings', {
        ...givable('booking-settings', row),
        queue_id: queues.get(row['queue_id'] as number),
      })
    const counts = { counters: 0, displays: 0, kiosks: 0 }
    for (const noun of ['counters', 'displays', 'kiosks'] as const)
      for (const row of await rowsOf(ctx, noun, id)) {
        const shown = row['queue_ids'] as number[] | null | undefined
        await make(ctx, noun, {
          ...givable(noun, row),
          site_id: site.id,
          ...(shown && { queue_ids: shown.flatMap((each) => queues.get(each) ?? []) }),
        })
        counts[noun]++
      }
    const made = { site: { id: site.id, name: site.name, slug: site.slug }, queues: queues.size, rules, ...counts }
    ctx.record({ before: null, after: { copied_from: id, ...made } })
    return made
  },
})

/** Everything of a noun at a site, as its own operation tells it. */
async function rowsOf(
  ctx: Context,
  noun: 'queues' | 'counters' | 'displays' | 'kiosks',
  siteId: number,
): Promise<Row[]> {
  const ids = await ctx.tx.query<{ id: number }>(`select id from ${noun} where site_id = $1 order by id`, [siteId])
  const rows: Row[] = []
  for (const { id } of ids) rows.push(await act<Row>(ctx, `${noun}.get`, { id }))
  return rows
}
async function bookingsOf(ctx: Context, queueIds: readonly number[]): Promise<Row[]> {
  const ids = await ctx.tx.query<{ id: number }>(
    'select id from booking_settings where queue_id = any($1) order by id',
    [queueIds],
  )
  const rows: Row[] = []
  for (const { id } of ids) rows.push(await act<Row>(ctx, 'booking-settings.get', { id }))
  return rows
}

/** What is in force in one queue, in force in the other. @returns how many rules */
async function copyRules(ctx: Context, from: number, to: number, queues: ReadonlyMap<number, number>): Promise<number> {
  const { results } = await act<{ results: { rules: Rule[] }[] }>(ctx, 'queues.ruleVersions', { id: from })
  const rules = results[0]?.rules ?? []
  for (const [position, { name, condition, effect }] of rules.entries()) {
    const { queue_id: other, ...rest } = effect
    const target = other === undefined ? {} : { queue_id: queues.get(other) }
    await make(ctx, 'queue-rules', { queue_id: to, name, position, condition, effect: { ...rest, ...target } })
  }
  if (rules.length > 0) await act(ctx, 'queues.publishRules', { id: to })
  return rules.length
}
