import type { Actor } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { AppError, invalid, notFound } from '../../kernel/errors.ts'
import type { Feed } from '../../kernel/feed.ts'
import type { Guard } from '../../kernel/guard.ts'
import type { Operation } from '../../kernel/operation.ts'
import { sharedThing, usedElsewhere } from './shared-things.ts'

/** What stands at a site, or in a queue of one. */
type Kind =
  | 'site'
  | 'queue'
  | 'customer'
  | 'ticket'
  | 'agent'
  | 'counter'
  | 'display'
  | 'kiosk'
  | 'device'
  | 'ar_marker'
  | 'queue_rule'
  | 'appointment'
  | 'booking_setting'
  | 'agent_hour'
  | 'notification_rule'
  | 'calendar_feed'
  | 'calendar_link'
  | 'work_profile'
  | 'message'
  | 'scheduled_report'
  | 'webhook'
  | 'webhook_delivery'

/**
 * What the names of inputs refer to, for every operation there is or will be; null = belongs to the whole organisation.
 * A test refuses a name that is missing here.
 */
const REFERENCES: Readonly<Record<string, Kind | null>> = {
  site: 'site',
  site_id: 'site',
  site_ids: null,
  queue: 'queue',
  queue_id: 'queue',
  queue_ids: 'queue',
  appointment_id: 'appointment',
  ticket_id: 'ticket',
  after_id: 'ticket',
  agent: 'agent',
  agent_id: 'agent',
  counter_id: 'counter',
  display_id: 'display',
  display_ids: 'display',
  kiosk_id: 'kiosk',
  work_profile: 'work_profile',
  work_profile_id: 'work_profile',
  service: null,
  service_id: null,
  customer: 'customer',
  customer_id: 'customer',
  user: null,
  user_id: null,
  device_id: null,
  agent_ids: null,
  device_ids: null,
  external_id: null,
  webhook_id: 'webhook',
  playlist_id: null,
  logo_media_id: null,
  // A block of numbers opens to the machine that holds it alone.
  block_id: null,
}
/** What `id` is, by the noun of the path. */
const NOUNS: Readonly<Record<string, Kind | null>> = {
  sites: 'site',
  queues: 'queue',
  tickets: 'ticket',
  customers: 'customer',
  agents: 'agent',
  counters: 'counter',
  displays: 'display',
  kiosks: 'kiosk',
  devices: 'device',
  'ar-markers': 'ar_marker',
  'queue-rules': 'queue_rule',
  appointments: 'appointment',
  'booking-settings': 'booking_setting',
  'agent-hours': 'agent_hour',
  'notification-rules': 'notification_rule',
  'calendar-feeds': 'calendar_feed',
  calendars: 'calendar_link',
  'work-profiles': 'work_profile',
  messages: 'message',
  'scheduled-reports': 'scheduled_report',
  webhooks: 'webhook',
  'webhook-deliveries': 'webhook_delivery',
}
/** Names by which a caller says where. */
const SITE = /^site(_id)?$/
const QUEUE = /^queue(_id)?$/
const ANYWHERE = /./

interface Reference {
  name: string
  kind: Kind
}
const plans = new WeakMap<Operation, Reference[]>()

function referencesOf(op: Operation): Reference[] {
  let references = plans.get(op)
  if (!references) {
    references = Object.keys(op.input.properties as object).flatMap((name) => {
      const kind = name === 'id' ? NOUNS[op.http.path.split('/')[1]!] : REFERENCES[name]
      return kind && !op.elsewhere?.includes(name) ? [{ name, kind }] : []
    })
    plans.set(op, references)
  }
  return references
}

/** Names that look like references and that nobody has told the meaning of. */
export function unknownReferences(operations: readonly Operation[]): string[] {
  const isNumbered = (schema: unknown) => JSON.stringify(schema).includes('"integer"')
  return operations.flatMap((op) =>
    Object.entries(op.input.properties as object)
      .filter(([name, schema]) => /_ids?$/.test(name) && isNumbered(schema) && REFERENCES[name] === undefined)
      .map(([name]) => `${op.id}.${name}`),
  )
}

const isLimited = ({ siteIds, queueIds }: Actor): boolean => siteIds !== undefined || queueIds !== undefined

/**
 * Where each referred row stands, and for who is limited to queues whether that is a site of one of them. A row that is
 * not there has no place, and is the operation's own 404.
 */
const PLACED = `
  select p.n, p.site_id, p.queue_ids, exists (select from queues q where q.id = any(p.own) and q.site_id = p.site_id) as has_own
  from (select r.n::int, r.own,
    case r.kind
      when 'site' then r.id
      when 'queue' then (select q.site_id from queues q where q.id = r.id)
      when 'ticket' then (select t.site_id from tickets t where t.id = r.id)
      when 'agent' then (select a.site_id from agents a where a.id = r.id)
      when 'counter' then (select c.site_id from counters c where c.id = r.id)
      when 'display' then (select d.site_id from displays d where d.id = r.id)
      when 'kiosk' then (select k.site_id from kiosks k where k.id = r.id)
      when 'device' then (select d.site_id from devices d where d.id = r.id)
      when 'ar_marker' then (select m.site_id from ar_markers m where m.id = r.id)
      when 'queue_rule' then (select q.site_id from queue_rules u join queues q on q.id = u.queue_id where u.id = r.id)
      when 'appointment' then (select a.site_id from appointments a where a.id = r.id)
      when 'calendar_feed' then (select f.site_id from calendar_feeds f where f.id = r.id)
      when 'calendar_link' then (select l.site_id from calendar_links l where l.id = r.id)
      when 'message' then (select m.site_id from messages m where m.id = r.id)
      -- One that hears of every site is beyond whoever is limited to some.
      when 'webhook' then (select coalesce(w.site_id, 0) from webhooks w where w.id = r.id)
      when 'webhook_delivery' then (select coalesce(w.site_id, 0) from webhook_deliveries d join webhooks w on w.id = d.webhook_id where d.id = r.id)
      when 'scheduled_report' then (select coalesce(c.site_id, 0) from scheduled_reports c where c.id = r.id)
      when 'work_profile' then (select w.site_id from work_profiles w where w.id = r.id)
      when 'agent_hour' then (select g.site_id from agent_hours h join agents g on g.id = h.agent_id where h.id = r.id)
      when 'booking_setting' then (select q.site_id from booking_settings b join queues q on q.id = b.queue_id where b.id = r.id)
      when 'notification_rule' then (select q.site_id from notification_rules u join queues q on q.id = u.queue_id where u.id = r.id)
    end as site_id,
    case r.kind
      when 'queue' then array[r.id]
      when 'ticket' then array(select t.queue_id from tickets t where t.id = r.id)
      when 'queue_rule' then array(select u.queue_id from queue_rules u where u.id = r.id)
      when 'appointment' then array(select a.queue_id from appointments a where a.id = r.id)
      when 'calendar_feed' then array(select f.queue_id from calendar_feeds f where f.id = r.id and f.queue_id is not null)
      when 'calendar_link' then array(select l.queue_id from calendar_links l where l.id = r.id and l.queue_id is not null)
      when 'message' then array(select m.queue_id from messages m where m.id = r.id and m.queue_id is not null)
      when 'ar_marker' then array(select m.queue_id from ar_markers m where m.id = r.id and m.queue_id is not null)
      when 'webhook' then array[0]
      when 'webhook_delivery' then array[0]
      when 'work_profile' then array(select w.queue_id from work_profile_queues w where w.work_profile_id = r.id)
      when 'booking_setting' then array(select b.queue_id from booking_settings b where b.id = r.id)
      when 'notification_rule' then array(select u.queue_id from notification_rules u where u.id = r.id)
    end as queue_ids
  from jsonb_to_recordset($1::jsonb) as r(n int, kind text, id bigint, own bigint[])) p`
/** People stand nowhere: who has been in other places alone is outside, as in every list of them. */
const UNSEEN = `
  select r.n::int from jsonb_to_recordset($1::jsonb) as r(n int, id bigint, sites bigint[], queues bigint[])
  where not app.is_seen(r.id, r.sites, r.queues)`

interface Named {
  n: number
  kind: Kind
  id: number
}

interface Placed {
  n: number
  site_id: number | null
  queue_ids: number[] | null
  has_own: boolean
}

function isOutside({ siteIds, queueIds }: Actor, { site_id, queue_ids, has_own }: Placed): boolean {
  if (site_id === null) return false
  if (siteIds && !siteIds.includes(site_id)) return true
  if (!queueIds) return false
  return queue_ids?.some((id) => !queueIds.includes(id)) || !has_own
}

async function outside(tx: Tx, actors: readonly Actor[], named: readonly Named[]): Promise<Set<number>> {
  const people = named.filter(({ kind }) => kind === 'customer')
  const things = named.filter(({ kind }) => kind !== 'customer')
  const refused = new Set<number>()
  if (people.length > 0) {
    const asked = people.map(({ n, id }) => ({ n, id, sites: actors[n]!.siteIds, queues: actors[n]!.queueIds }))
    for (const { n } of await tx.query<{ n: number }>(UNSEEN, [JSON.stringify(asked)])) refused.add(n)
  }
  if (things.length === 0) return refused
  const asked = things.map((thing) => ({ ...thing, own: actors[thing.n]!.queueIds }))
  const rows = await tx.query<Placed>(PLACED, [JSON.stringify(asked)])
  for (const row of rows) if (isOutside(actors[row.n]!, row)) refused.add(row.n)
  return refused
}

/** What is weighed where it is done: by whose limits somebody gets, and by whose a file's rows are taken in. */
const WEIGHED = /^(users|invitations|imports)\./
/** What everybody did, at whatever place, and the keys that open all of them. */
const TRAIL = /^(audit\.(list|export)|requests\.list|api-keys\.list)$/
/** What every site sends and says aloud, and sites that would be nobody's own. */
const SAID_EVERYWHERE = /^(templates\.(create|update|delete|setPrice)|voice-clips\.(set|delete)|sites\.(create|copy))$/
/** Settings, keys and doors of the whole organisation, and its audit trail: whoever has them has all of its places. */
const isOfTheWhole = (op: Operation): boolean =>
  TRAIL.test(op.id) ||
  SAID_EVERYWHERE.test(op.id) ||
  (op.kind === 'mutation' && op.scope === 'admin:tenant' && referencesOf(op).length === 0 && !WEIGHED.test(op.id))

/** They show, send, or end, all the lines of a site at once: a limit to queues is not kept by them. */
const OF_ALL_QUEUES =
  /^(?:sites\.(?:replay|floor)|tickets\.closeDay|analytics\.occupancy|scheduled-reports\.(?:create|update))$/

const idsIn = (value: unknown): number[] =>
  typeof value === 'number' ? [value] : Array.isArray(value) ? value.filter(Number.isSafeInteger) : []

/** The one place that keeps limited people, keys and machines to their sites and queues. */
export const narrowing: Guard = {
  place(op, request) {
    const { actor } = request
    if (!isLimited(actor) || !request.tenant) return request
    if (isOfTheWhole(op) || (actor.queueIds && OF_ALL_QUEUES.test(op.id))) throw new AppError('forbidden', 'forbidden')
    // A person is no place: their visits are everywhere.
    const references = referencesOf(op).filter(({ kind }) => kind !== 'customer')
    const input = request.input as Record<string, unknown>
    const isNamed = (wanted: RegExp) => references.some(({ name }) => wanted.test(name) && input[name] !== undefined)
    const place = (wanted: RegExp) => references.find(({ name }) => wanted.test(name))?.name
    // Who is limited to queues must name one: the site alone would show its other queues.
    const queue = actor.queueIds && place(QUEUE)
    const name = queue ?? place(SITE) ?? place(QUEUE)
    if (name === undefined || input['id'] !== undefined || isNamed(queue === undefined ? ANYWHERE : QUEUE))
      return request
    const ids = QUEUE.test(name) ? actor.queueIds : actor.siteIds
    if (!ids) return request
    if (ids.length === 1) return { ...request, input: { ...input, [name]: ids[0] } }
    throw invalid(`/${name}`, 'required')
  },

  refusals(tx, op, requests) {
    if (!requests.some(({ actor }) => isLimited(actor))) return undefined
    const shared = sharedThing(op)
    const elsewhere = shared && usedElsewhere(tx, shared, requests)
    const references = referencesOf(op)
    const named = requests.flatMap(({ actor, input }, n) =>
      isLimited(actor)
        ? references.flatMap(({ name, kind }) =>
            idsIn((input as Record<string, unknown>)[name]).map((id): Named => ({ n, kind, id })),
          )
        : [],
    )
    return outside(
      tx,
      requests.map(({ actor }) => actor),
      named,
    ).then(async (refused) => {
      const beyond = await elsewhere
      return requests.map((_, n): AppError | undefined => {
        // As if it were not there: who is limited learns nothing of the rest.
        if (refused.has(n)) return notFound()
        return beyond?.has(n) ? new AppError('forbidden', 'forbidden') : undefined
      })
    })
  },

  feed: (feed: Feed): Feed => ({
    ...feed,
    async open(ctx, params) {
      if (isLimited(ctx.actor)) {
        const named = Object.entries(params).flatMap(([name, text]): Named[] => {
          const kind = REFERENCES[name]
          return kind && /^\d{1,15}$/.test(text) ? [{ n: 0, kind, id: Number(text) }] : []
        })
        if ((await outside(ctx.db.reader(ctx.tenant.id), [ctx.actor], named)).size > 0) throw notFound()
      }
      return feed.open(ctx, params)
    },
  }),
}
