import Type, { type Static } from 'typebox'
import { MANAGERS, ROLE_SCOPES } from '../../kernel/access.ts'
import type { Database } from '../../kernel/db/types.ts'
import { listPage, type Condition, type Ordering } from '../../kernel/list.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Name, Nullable, Page, PageInput, Text, Time } from '../../kernel/schema.ts'
import { notePresence } from './presence.ts'
import type { Credential } from './opaque-tokens.ts'
import { announceEnd } from './revocations.ts'

export const DEVICE_KINDS = ['kiosk', 'display'] as const

/** What a machine tells of itself. */
const Report = {
  battery_percent: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
  is_charging: Type.Optional(Type.Boolean()),
  paper: Type.Optional(Enum(['ok', 'low', 'out'])),
  /** `error`: it does not print, for a jam, an open cover or a lost wire. */
  printer: Type.Optional(Enum(['ok', 'error'])),
  /** `locked`: the screen may not play sounds until somebody touches it. */
  sound: Type.Optional(Enum(['ok', 'locked'])),
  version: Type.Optional(Text(50)),
  screen: Type.Optional(Text(50)),
}
export const Device = Closed({
  id: Id,
  kind: Enum(DEVICE_KINDS),
  site_id: Id,
  name: Name,
  kiosk_id: Nullable(Id),
  display_id: Nullable(Id),
  is_locked: Type.Boolean(),
  /** Heard of within three minutes. */
  is_online: Type.Boolean(),
  last_seen_at: Nullable(Time),
  report: Closed(Report),
  paired_by: Nullable(Id),
  revoked_at: Nullable(Time),
  created_at: Time,
  updated_at: Time,
})
export type Device = Static<typeof Device>
const IS_ONLINE = `coalesce(last_seen_at > now() - interval '3 minutes', false) and revoked_at is null as is_online`
export const DEVICE_COLUMNS = Object.keys(Device.properties)
  .map((name) => (name === 'is_online' ? IS_ONLINE : name))
  .join(', ')
const SELECT = `select ${DEVICE_COLUMNS} from devices`

const orderings: Record<string, Ordering> = {
  name: [
    { column: 'name', type: 'text' },
    { column: 'id', type: 'integer' },
  ],
}
const writing = { scope: 'write:display', roles: MANAGERS } as const
const reading = { scope: 'read:display', roles: MANAGERS } as const

const list = operation({
  ...reading,
  id: 'devices.list',
  kind: 'query',
  summary: 'List paired devices',
  http: { method: 'GET', path: '/devices/' },
  input: Closed({
    ...PageInput,
    site: Type.Optional(Id),
    kind: Type.Optional(Enum(DEVICE_KINDS)),
    is_revoked: Type.Optional(Type.Boolean({ default: false })),
  }),
  output: Page(Device),
  example: { input: { kind: 'kiosk' } },
  run(ctx, { site, kind, is_revoked = false, ...page }) {
    const where: Condition[] = [{ text: '(revoked_at is not null) = $1', values: [is_revoked] }]
    if (site !== undefined) where.push({ text: 'site_id = $1', values: [site] })
    if (kind) where.push({ text: 'kind = $1', values: [kind] })
    const { queueIds } = ctx.actor
    if (queueIds)
      where.push({ text: 'site_id in (select q.site_id from queues q where q.id = any($1))', values: [queueIds] })
    return listPage<Device>(ctx.tx, SELECT, orderings, { ...page, ordering: 'name' }, where)
  },
})

const get = operation({
  ...reading,
  id: 'devices.get',
  kind: 'query',
  summary: 'Get one device',
  http: { method: 'GET', path: '/devices/{id}/' },
  input: Closed({ id: Id }),
  output: Device,
  example: { input: { id: 1 } },
  run: (ctx, { id }) => ctx.tx.one<Device>(`${SELECT} where id = $1`, [id]),
})

/** Another state of the row, another session: what was open under the old one can be cut for good. */
export const deviceSession = (tenantId: number, { id, updated_at }: Pick<Device, 'id' | 'updated_at'>) =>
  `device:${tenantId}:${id}:${updated_at}`

/** What events tell of a device. */
export const deviceFace = ({ id, kind, name, is_locked }: Device) => ({ id, kind, name, is_locked })
const emit = (ctx: Context, verb: string, device: Device) =>
  ctx.emit({ type: `device.${verb}`, site_id: device.site_id, data: { device: deviceFace(device) } })

const update = operation({
  ...writing,
  id: 'devices.update',
  kind: 'mutation',
  summary: 'Rename, lock or unlock a device',
  description: 'A locked device is refused with `device_locked` until it is unlocked; its live connections are cut.',
  http: { method: 'PATCH', path: '/devices/{id}/' },
  input: Closed({
    id: Id,
    name: Type.Optional(Name),
    is_locked: Type.Optional(Type.Boolean()),
  }),
  output: Device,
  example: { input: { id: 1, is_locked: true } },
  async run(ctx, { id, ...changes }) {
    const before = await ctx.tx.one<Device>(`${SELECT} where id = $1 and revoked_at is null for no key update`, [id])
    const next = { ...before, ...changes }
    const device = await ctx.tx.one<Device>(
      `update devices set name = $2, is_locked = $3, updated_at = clock_timestamp() where id = $1 returning ${DEVICE_COLUMNS}`,
      [id, next.name, next.is_locked],
    )
    ctx.record({ before, after: device })
    emit(ctx, 'updated', device)
    if (device.is_locked !== before.is_locked) await announceEnd(ctx.tx, deviceSession(ctx.tenant.id, before))
    return device
  },
})

const revoke = operation({
  ...writing,
  id: 'devices.revoke',
  kind: 'mutation',
  summary: 'Revoke a device',
  description:
    'Its token is refused from now on and its live connections are cut. To use the machine again, pair it again.',
  http: { method: 'DELETE', path: '/devices/{id}/', status: 204 },
  input: Closed({ id: Id }),
  output: Type.Null(),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const before = await ctx.tx.one<Device>(`${SELECT} where id = $1 and revoked_at is null for no key update`, [id])
    await ctx.tx.query('update devices set revoked_at = now(), token_hash = null, updated_at = now() where id = $1', [
      id,
    ])
    ctx.record({ before, after: null })
    emit(ctx, 'revoked', before)
    await announceEnd(ctx.tx, deviceSession(ctx.tenant.id, before))
    return null
  },
})

const heartbeat = operation({
  id: 'devices.heartbeat',
  kind: 'mutation',
  summary: 'A device tells that it is well',
  description: 'Once a minute. The answer says where the device stands and what it shows.',
  scope: 'read:site',
  roles: ['kiosk', 'display'],
  unaudited: 'comes every minute from every machine and changes nothing but when it was last seen',
  http: { method: 'POST', path: '/devices/heartbeat/' },
  input: Closed(Report),
  output: Device,
  example: { input: { battery_percent: 87, is_charging: true } },
  async run(ctx, report) {
    const { told, ...device } = await ctx.tx.one<Device & { told: Device['report'] }>(
      `with before as (select id as device_id, report as told from devices where id = $1 for update)
       update devices set last_seen_at = now(), report = $2 from before
       where id = device_id and revoked_at is null returning ${DEVICE_COLUMNS}, told`,
      [deviceIdOf(ctx), JSON.stringify(report)],
    )
    // What waits for somebody's hands is an event: a silent screen, a printer without paper.
    if (told.sound !== report.sound || told.paper !== report.paper || told.printer !== report.printer)
      ctx.emit({
        type: 'device.reported',
        site_id: device.site_id,
        data: { device: { ...deviceFace(device), report } },
      })
    await notePresence(ctx, { device_ids: [device.id] })
    return device
  },
})

/** 0, which is nobody's, for a screen that was opened by a link. */
const deviceIdOf = ({ actor }: Context): number => Number(/^device:(\d+)$/.exec(actor.principal)?.[1] ?? 0)

/** The device behind a token, or undefined when it opens nothing. It may enter its own site alone. */
export async function deviceOf(db: Database, tenantId: number, hash: Buffer): Promise<Credential | undefined> {
  const row = await db.reader(tenantId).maybe<Device & { is_stale: boolean }>(
    `select ${DEVICE_COLUMNS}, coalesce(last_seen_at < now() - interval '1 minute', true) as is_stale
     from devices where token_hash = $1 and revoked_at is null`,
    [hash],
  )
  if (!row) return undefined
  if (row.is_stale)
    db.tenant(tenantId, (tx) => tx.query('update devices set last_seen_at = now() where id = $1', [row.id])).catch(
      () => {},
    )
  return {
    actor: {
      role: row.kind,
      principal: `device:${row.id}`,
      tenantId,
      userId: null,
      scopes: new Set(ROLE_SCOPES[row.kind]),
      sessionId: deviceSession(tenantId, row),
      ticketId: null,
      siteIds: [row.site_id],
    },
    expiresAt: null,
    isLocked: row.is_locked,
  }
}

export const deviceOperations = [list, get, update, revoke, heartbeat]
