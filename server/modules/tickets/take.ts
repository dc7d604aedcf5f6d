import { createHash } from 'node:crypto'
import Type, { type Static } from 'typebox'
import type { Actor } from '../../kernel/access.ts'
import { STAFF } from '../../kernel/access.ts'
import { AppError, conflict, notFound } from '../../kernel/errors.ts'
import { hashToken, newVisitorToken } from '../../kernel/ids.ts'
import { batchOperation, type Call, type Context } from '../../kernel/operation.ts'
import { Closed, Id, Locale, Nullable, Text } from '../../kernel/schema.ts'
import { identify, Person } from '../customers/index.ts'
import { openState, queueConfigs, rankOffset, type QueueConfig } from '../queues/index.ts'
import { publicTicket, wireTicket } from './events.ts'
import { withFigures } from './live/figures.ts'
import { issueTickets, type Issued, type Newcomer, type Series } from './issue.ts'
import { Channel, Fields, Labels, Note, Priority, Ticket } from './schema.ts'

const Input = Closed({
  queue_id: Id,
  channel: Channel,
  customer: Type.Optional(Person),
  customer_id: Type.Optional(Id),
  priority: Type.Optional(Priority),
  language: Type.Optional(Locale),
  fields: Type.Optional(Fields),
  needs: Type.Optional(Labels),
  labels: Type.Optional(Labels),
  note: Type.Optional(Note),
  /** The visitor's own device, not the kiosk: one live ticket each where the queue says so. */
  device_id: Type.Optional(Text(200, { minLength: 8 })),
})
type Input = Static<typeof Input>
const Taken = Closed({
  ...Ticket.properties,
  /** Opens the visitor's page; shown once. */
  public_token: Type.String(),
  url: Type.String(),
  /** How many are served before. */
  ahead: Nullable(Type.Integer()),
})

/** Joins a queue. */
export const take = batchOperation({
  id: 'tickets.take',
  kind: 'mutation',
  summary: 'Take a ticket',
  description:
    'Refused when the queue is paused, closed or full, and when the device or the person has a live ticket for the service (`duplicate_ticket`). Numbers of a queue and day have no gap.',
  scope: 'write:ticket',
  roles: [...STAFF, 'kiosk', 'visitor', 'anonymous'],
  http: { method: 'POST', path: '/tickets/', status: 201, aliases: [{ path: '/api/v1/public/{tenant}/tickets/' }] },
  input: Input,
  output: Taken,
  example: { input: { queue_id: 1, channel: 'kiosk', language: 'fr' } },
  constraints: {
    tickets_one_per_device: () => conflict('duplicate_ticket', { number: '' }),
    tickets_one_per_customer: () => conflict('duplicate_ticket', { number: '' }),
    tickets_tenant_id_customer_id_fkey: notFound,
  },
  runMany: takeTickets,
})

/** One ticket or refusal per call, in order. `rank_from` puts somebody where an arrival at that instant would stand. */
export async function takeTickets(
  ctx: Context,
  calls: readonly (Call<Input> & { rank_from?: string })[],
): Promise<(Static<typeof Taken> | AppError)[]> {
  const results: (Static<typeof Taken> | AppError)[] = Array.from({ length: calls.length })
  const configs = await queueConfigs(
    ctx,
    calls.map(({ input }) => input.queue_id),
  )
  const closed = await closedQueues(ctx, [...configs.values()])
  const tokens = new Map<number, string>()
  let pending: Newcomer[] = []
  for (const [n, call] of calls.entries()) {
    try {
      const config = configs.get(call.input.queue_id)
      if (!config) throw notFound()
      checkCaller(call)
      if (!config.is_active) throw conflict('queue_inactive')
      const refusal = closed.get(config.id)
      if (refusal) throw refusal
      const token = newVisitorToken(ctx.tenant.id)
      tokens.set(n, token)
      pending.push(await newcomer(ctx, n, call, config, token))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      results[n] = error
    }
  }
  while (pending.length) {
    const { round, later } = withoutRepeats(pending, configs)
    const series = new Set(round.map(({ queue_id }) => queue_id))
    const issued = await issueTickets(
      ctx.tx,
      [...series].map((id) => seriesOf(configs.get(id)!)),
      round,
    )
    for (const answer of issued) results[answer.n] = settle(ctx, calls[answer.n]!.actor, answer, tokens.get(answer.n)!)
    pending = later
  }
  await addFigures(ctx, results)
  return results
}

/** Who may say what: strangers come by web or QR, in no class and as nobody we know. */
function checkCaller({ actor, input }: Call<Input>): void {
  const isStranger = actor.role === 'anonymous' || actor.role === 'visitor'
  if (!isStranger && actor.role !== 'kiosk') return
  const channels: readonly string[] = isStranger ? ['web', 'qr'] : ['kiosk', 'qr']
  const isSaidByStaffOnly =
    !channels.includes(input.channel) ||
    input.customer_id !== undefined ||
    input.note !== undefined ||
    input.labels !== undefined ||
    (isStranger && input.priority !== undefined && input.priority > 0)
  if (isSaidByStaffOnly) throw new AppError('forbidden', 'forbidden')
}

/** Refusals of the queues that are closed now. The database's clock is asked only when one has hours. */
async function closedQueues(ctx: Context, configs: readonly QueueConfig[]): Promise<Map<number, AppError>> {
  const doubtful = configs.filter(
    (config) => config.opening_hours || !config.site_is_active || !config.service.is_active,
  )
  const closed = new Map<number, AppError>()
  if (doubtful.length === 0) return closed
  const { now } = await ctx.tx.one<{ now: string }>('select clock_timestamp() as now')
  for (const config of doubtful) {
    const { is_open, opens_at } = openState(config, now)
    if (!is_open) closed.set(config.id, conflict('queue_closed', { opens_at: opens_at?.toString() ?? '' }))
  }
  return closed
}

async function newcomer(
  ctx: Context,
  n: number,
  { actor, input, locale, rank_from }: Call<Input> & { rank_from?: string },
  config: QueueConfig,
  token: string,
): Promise<Newcomer> {
  const priority = input.priority ?? 0
  const customerId = input.customer_id ?? (input.customer ? await identify(ctx.tx, ctx.tenant, input.customer) : null)
  const isAtScreen = actor.role === 'anonymous' || actor.role === 'visitor' || actor.role === 'kiosk'
  return {
    n,
    queue_id: config.id,
    channel: input.channel,
    priority,
    offset: rankOffset(config, { priority }),
    rank_from: rank_from ?? null,
    customer_id: customerId,
    device_key: config.one_ticket_per_device && input.device_id !== undefined ? deviceKey(input.device_id) : null,
    sole_customer_id: config.one_ticket_per_device ? customerId : null,
    token_hash: hashToken(token).toString('hex'),
    language: input.language ?? input.customer?.locale ?? (isAtScreen ? locale : null),
    note: input.note ?? '',
    labels: input.labels ?? [],
    needs: input.needs ?? [],
    fields: input.fields ?? {},
  }
}

/** Recognises a device without remembering its id. */
const deviceKey = (deviceId: string) => createHash('sha256').update(deviceId).digest('base64url').slice(0, 22)

const seriesOf = (config: QueueConfig): Series => ({
  queue_id: config.id,
  site_id: config.site_id,
  service_id: config.service_id,
  timezone: config.timezone,
  daily: config.number_reset === 'daily',
  prefix: config.number_prefix,
  first: config.number_first,
  last: config.number_last,
  capacity: config.max_capacity,
})

/** One device or person asks once a round, so that each statement sees the tickets of the rounds before. */
function withoutRepeats(newcomers: readonly Newcomer[], configs: ReadonlyMap<number, QueueConfig>) {
  const seen = new Set<string>()
  const round: Newcomer[] = []
  const later: Newcomer[] = []
  for (const one of newcomers) {
    const service = configs.get(one.queue_id)!.service_id
    const keys = [
      one.device_key && `${service} ${one.device_key}`,
      one.sole_customer_id && `${service}:${one.sole_customer_id}`,
    ]
    const known = keys.filter((key) => key !== null && key !== '')
    const isRepeat = known.some((key) => seen.has(String(key)))
    for (const key of known) seen.add(String(key))
    ;(isRepeat ? later : round).push(one)
  }
  return { round, later }
}

function settle(ctx: Context, actor: Actor, issued: Issued, token: string): Static<typeof Taken> | AppError {
  if (issued.refusal === 'duplicate_ticket') return conflict('duplicate_ticket', { number: issued.duplicate_number })
  if (issued.refusal !== null) return conflict(issued.refusal)
  const ticket = wireTicket(issued)
  ctx.emit({
    type: 'ticket.created',
    site_id: ticket.site_id,
    queue_id: ticket.queue_id,
    ticket_id: ticket.id,
    actor: actor.principal,
    data: { ticket: publicTicket(ticket), from: null, to: ticket.status, channel: ticket.channel, by: actor.role },
  })
  return { ...ticket, public_token: token, url: ctx.url(`/t/${token}`), ahead: null }
}

/** Fills in place and estimate. */
async function addFigures(ctx: Context, results: (Static<typeof Taken> | AppError)[]): Promise<void> {
  const taken = results.filter((result) => !(result instanceof AppError))
  const figures = await withFigures(ctx, taken)
  for (const [i, ticket] of taken.entries()) {
    Object.assign(ticket, figures[i], { ahead: figures[i]!.position === null ? null : figures[i]!.position - 1 })
  }
}
