import Type, { type Static } from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { AppError, conflict, notFound } from '../../kernel/errors.ts'
import { newVisitorToken } from '../../kernel/ids.ts'
import { batchOperation, type Context } from '../../kernel/operation.ts'
import { Closed, Nullable } from '../../kernel/schema.ts'
import { openState, queueConfigs, looksAtClock, type QueueConfig } from '../queues/index.ts'
import { publicTicket } from './events.ts'
import { figuresOf } from './live/figures.ts'
import { issueTickets, type Issued, type Newcomer, type Refusal } from './issue.ts'
import {
  checkCaller,
  checkPresence,
  isStranger,
  newcomer,
  newTicket,
  seriesOf,
  TakeInput,
  type Route,
  type Taking,
} from './newcomer.ts'
import { lineLengths, route, rulesAskTheHour, tell, withTargets } from './route.ts'
import { Ticket } from './schema.ts'
import { switchedOff } from './switched-off.ts'

export const Taken = Closed({
  ...Ticket.properties,
  /** Opens the visitor's page; shown once. */
  public_token: Type.String(),
  url: Type.String(),
  /** How many are served before. */
  ahead: Nullable(Type.Integer()),
})
type Taken = Static<typeof Taken>

/** Joins a queue. */
export const take = batchOperation({
  id: 'tickets.take',
  kind: 'mutation',
  summary: 'Take a ticket',
  description:
    'Refused when the queue is paused, closed or full, when the asking machine is switched off (`kiosk_inactive`), and when the device, or at a desk or kiosk the person, has a live ticket for the service (`duplicate_ticket`). Strangers get the same answer whether or not we know whom they name. Numbers of a queue and day have no gap.',
  scope: 'write:ticket',
  roles: [...STAFF, 'kiosk', 'visitor', 'anonymous'],
  http: { method: 'POST', path: '/tickets/', status: 201, aliases: [{ path: '/api/v1/public/{tenant}/tickets/' }] },
  input: TakeInput,
  output: Taken,
  example: { input: { queue_id: 1, channel: 'kiosk', language: 'fr' } },
  mayAskForWork: true,
  constraints: {
    tickets_one_per_device: () => conflict('duplicate_ticket', { number: '' }),
    tickets_one_per_customer: () => conflict('duplicate_ticket', { number: '' }),
    tickets_tenant_id_customer_id_fkey: notFound,
  },
  runMany: takeTickets,
})

/** One ticket or refusal per call, in order. `appointment_at` is the booked time of who has one. */
export async function takeTickets(ctx: Context, calls: readonly Taking[]): Promise<(Taken | AppError)[]> {
  const configs = await withTargets(
    ctx,
    await queueConfigs(
      ctx,
      calls.map(({ input }) => input.queue_id),
    ),
  )
  const closed = await closedQueues(ctx, [...configs.values()])
  const series = new Map([...configs.values()].map((config) => [config.id, seriesOf(config)]))
  const off = await switchedOff(ctx, calls)
  const now = await clockFor(ctx, calls, configs)
  const lengths = await lineLengths(ctx, configs.values())
  const created = new Map<number, object>()
  const results: (Taken | AppError | undefined)[] = Array.from({ length: calls.length })
  let pending: Guest[] = []
  for (const [n, call] of calls.entries()) {
    try {
      const asked = configs.get(call.input.queue_id)
      if (!asked) throw notFound()
      checkCaller(call)
      if (off.has(call.actor.principal)) throw conflict('kiosk_inactive')
      checkPresence(call, asked)
      const routed = route(ctx, call, asked, { configs, lengths, now })
      if (routed.refusal) throw routed.refusal
      const { config } = routed
      if (!config.is_active) throw conflict('queue_inactive')
      const refusal = closed.get(config.id)
      if (refusal) throw refusal
      const token = newVisitorToken(ctx.tenant.id)
      pending.push({
        n,
        token,
        routed,
        newcomer: await newcomer(ctx, call, routed, series.get(config.id)!, token, now),
      })
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      results[n] = error
    }
  }
  while (pending.length) {
    const { round, later } = withoutRepeats(pending)
    const issued = await issueTickets(
      ctx.tx,
      round.map((guest) => guest.newcomer),
    )
    for (const [i, guest] of round.entries())
      results[guest.n] = settle(ctx, calls[guest.n]!, guest, issued[i]!, created)
    pending = later
  }
  const taken = results.filter((result) => result !== undefined && !(result instanceof AppError))
  const figures = await figuresOf(ctx, taken)
  for (const [i, ticket] of taken.entries()) {
    const { eta_low_seconds, eta_seconds, eta_high_seconds } = figures[i]!
    Object.assign(ticket, figures[i])
    // The log keeps what was promised: accuracy is judged by it.
    const promise = [eta_low_seconds, eta_seconds, eta_high_seconds]
    Object.assign(created.get(ticket.id)!, { told: promise.includes(null) ? null : promise })
  }
  return results as (Taken | AppError)[]
}

interface Guest {
  n: number
  token: string
  routed: Route
  newcomer: Newcomer
}

/** One device or person asks once a round, so that each statement sees the tickets of the rounds before. */
function withoutRepeats(guests: readonly Guest[]): { round: Guest[]; later: Guest[] } {
  const seen = new Set<string>()
  const round: Guest[] = []
  const later: Guest[] = []
  for (const guest of guests) {
    const { series, device_key, sole_customer_id } = guest.newcomer
    const keys: string[] = []
    if (device_key !== null) keys.push(`${series.service_id} ${device_key}`)
    if (sole_customer_id !== null) keys.push(`${series.service_id}:${sole_customer_id}`)
    const isRepeat = keys.some((key) => seen.has(key))
    for (const key of keys) seen.add(key)
    ;(isRepeat ? later : round).push(guest)
  }
  return { round, later }
}

function settle(
  ctx: Context,
  { actor, input }: Taking,
  { newcomer, token, routed }: Guest,
  issued: Issued | Refusal,
  created: Map<number, object>,
): Taken | AppError {
  if ('refusal' in issued) {
    return issued.refusal === 'duplicate_ticket'
      ? conflict(issued.refusal, { number: issued.number })
      : conflict(issued.refusal)
  }
  const ticket = newTicket(newcomer, issued)
  const data = {
    ticket: publicTicket(ticket),
    from: null,
    to: ticket.status,
    channel: ticket.channel,
    by: actor.role,
    ...(routed.applied.length && {
      asked: { queue_id: input.queue_id, priority: input.priority ?? 0 },
      rules: routed.applied.map(({ id }) => id),
    }),
    ...(newcomer.appointment_at !== null && { appointment_at: newcomer.appointment_at }),
    ...(newcomer.required_skill !== null && { required_skill: newcomer.required_skill }),
  }
  created.set(ticket.id, data)
  ctx.emit({
    type: 'ticket.created',
    site_id: ticket.site_id,
    queue_id: ticket.queue_id,
    ticket_id: ticket.id,
    actor: actor.principal,
    data,
  })
  tell(ctx, ticket.id, routed.config, routed.notify)
  const customer_id = isStranger(actor) ? null : ticket.customer_id
  return { ...ticket, customer_id, public_token: token, url: ctx.url(`/t/${token}`), ahead: null }
}

/** The database's clock where an order of service looks at it before the ticket is written, else null. */
async function clockFor(
  ctx: Context,
  calls: readonly Taking[],
  configs: ReadonlyMap<number, QueueConfig>,
): Promise<string | null> {
  const isAsked =
    calls.some(({ appointment_at }) => appointment_at !== undefined) ||
    rulesAskTheHour(configs.values()) ||
    [...configs.values()].some(looksAtClock)
  return isAsked ? (await ctx.tx.one<{ now: string }>('select clock_timestamp() as now')).now : null
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
