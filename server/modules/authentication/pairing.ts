import { randomBytes, randomInt } from 'node:crypto'
import Type, { type Static } from 'typebox'
import { MANAGERS, ROLES } from '../../kernel/access.ts'
import { AppError, invalid, notFound } from '../../kernel/errors.ts'
import { hashToken } from '../../kernel/ids.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Name, Nullable, Seconds, Slug, Time } from '../../kernel/schema.ts'
import { newCredential } from './opaque-tokens.ts'
import { Device, DEVICE_COLUMNS, DEVICE_KINDS, deviceFace } from './devices.ts'

/** Read off one screen and typed into another: none of 0 O Q, 1 I L, 2 Z, 5 S, 8 B, U V. 23^6 are 148 million codes. */
const ALPHABET = 'ACDEFGHJKMNPRTVWXY34679'
const CODE_LENGTH = 6
const CODE_SECONDS = 600
const POLL_SECONDS = 3

const newCode = () => Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
const refused = () => new AppError('not_found', 'pairing_code_invalid')
/** Whoever carries an old token may begin anew. */
const PUBLIC = { scope: null, roles: ROLES } as const

const start = operation({
  ...PUBLIC,
  id: 'devices.startPairing',
  kind: 'mutation',
  summary: 'A new device asks to be paired',
  description: `Shows \`code\` to the staff for ten minutes and polls with \`secret\` until it is adopted.`,
  answersSecret: true,
  unaudited: 'belongs to no organisation yet; whoever adopts the device is on record',
  limit: 'pairing',
  http: { method: 'POST', path: '/devices/pairing/', base: 'root', status: 201 },
  input: Closed({}),
  output: Closed({ code: Type.String(), secret: Type.String(), expires_in: Seconds, interval: Seconds }),
  example: { input: {} },
  async run({ tx }) {
    const secret = randomBytes(24).toString('base64url')
    await tx.query('delete from device_pairings where expires_at < now()')
    // Once in a hundred thousand times a code is taken.
    for (let attempt = 0; attempt < 5; attempt++) {
      const code = newCode()
      const row = await tx.maybe(
        `insert into device_pairings (secret_hash, code, expires_at) values ($1, $2, now() + make_interval(secs => $3))
         on conflict do nothing returning code`,
        [hashToken(secret), code, CODE_SECONDS],
      )
      if (row) return { code, secret, expires_in: CODE_SECONDS, interval: POLL_SECONDS }
    }
    throw new AppError('unavailable', 'overloaded')
  },
})

const Polled = Closed({
  status: Enum(['waiting', 'paired']),
  token: Nullable(Type.String()),
  tenant: Nullable(Slug),
  device: Nullable(Device),
})
const poll = operation({
  ...PUBLIC,
  id: 'devices.pollPairing',
  kind: 'mutation',
  summary: 'A new device asks whether it was adopted',
  description: 'Answers the token once, when staff has typed the code; it is shown nowhere else.',
  answersSecret: true,
  unaudited: 'comes every few seconds; whoever adopts the device is on record',
  limit: 'polling',
  http: { method: 'POST', path: '/devices/pairing/poll/', base: 'root' },
  input: Closed({ secret: Type.String({ minLength: 32, maxLength: 32 }) }),
  output: Polled,
  example: { input: { secret: 'yVjx0GmLM0fTjBNcVgYcJyM9rT5dqFJv' } },
  async run({ tx }, { secret }): Promise<Static<typeof Polled>> {
    const pairing = await tx.maybe<{ tenant_id: number | null; device_id: number | null }>(
      'select tenant_id, device_id from device_pairings where secret_hash = $1 and expires_at > now() for update',
      [hashToken(secret)],
    )
    if (!pairing) throw refused()
    const { tenant_id: tenantId, device_id: deviceId } = pairing
    if (tenantId === null) return { status: 'waiting', token: null, tenant: null, device: null }
    await tx.query('delete from device_pairings where secret_hash = $1', [hashToken(secret)])
    const { slug } = await tx.one<{ slug: string }>('select slug from tenants where id = $1', [tenantId])
    // Behind the adopter's wall for the rest of the transaction.
    await tx.query(`select set_config('app.current_tenant_id', $1, true)`, [String(tenantId)])
    const token = newCredential('sd', tenantId)
    const device = await tx.maybe<Device>(
      `update devices set token_hash = $2, last_seen_at = now() where id = $1 and revoked_at is null returning ${DEVICE_COLUMNS}`,
      [deviceId, hashToken(token)],
    )
    if (!device) throw refused()
    return { status: 'paired', token, tenant: slug, device }
  },
})

const confirm = operation({
  id: 'devices.pair',
  kind: 'mutation',
  summary: 'Adopt the device that shows this code',
  description: 'The device may enter this one site and gets its token at its next poll. A code works once.',
  scope: 'write:display',
  roles: MANAGERS,
  limit: 'pairing',
  http: { method: 'POST', path: '/devices/pair/', status: 201 },
  input: Closed({
    code: Type.String({ minLength: CODE_LENGTH, maxLength: 20 }),
    kind: Enum(DEVICE_KINDS),
    site_id: Id,
    name: Name,
    display_id: Type.Optional(Id),
    kiosk_id: Type.Optional(Id),
  }),
  output: Closed({ ...Device.properties, pairing_expires_at: Time }),
  example: { input: { code: 'A7KMPX', kind: 'kiosk', site_id: 1, name: 'Entrance' } },
  constraints: { devices_tenant_id_site_id_fkey: notFound },
  async run(ctx, { code: typed, kind, site_id, name, display_id = null, kiosk_id = null }) {
    if (display_id !== null && kind !== 'display') throw invalid('/display_id', 'conflict')
    if (kiosk_id !== null && kind !== 'kiosk') throw invalid('/kiosk_id', 'conflict')
    const { unknown } = await ctx.tx.one<{ unknown: boolean }>(
      `select ($1::bigint is not null and not exists (select from displays where id = $1 and site_id = $3))
           or ($2::bigint is not null and not exists (select from kiosks where id = $2 and site_id = $3)) as unknown`,
      [display_id, kiosk_id, site_id],
    )
    if (unknown) throw notFound()
    // Taken before the device is made: of two who type the code at once, one waits here and then finds nothing.
    const code = typed.toUpperCase().replace(/[\s-]/g, '')
    const pairing = await ctx.tx.maybe<{ expires_at: string }>(
      `select expires_at from device_pairings where code = $1 and tenant_id is null and expires_at > now() for update`,
      [code],
    )
    if (!pairing) throw refused()
    const device = await ctx.tx.one<Device>(
      `insert into devices (kind, site_id, name, display_id, kiosk_id, paired_by) values ($1, $2, $3, $4, $5, $6)
       returning ${DEVICE_COLUMNS}`,
      [kind, site_id, name, display_id, kiosk_id, ctx.actor.userId],
    )
    await ctx.tx.query('update device_pairings set tenant_id = $2, device_id = $3 where code = $1', [
      code,
      ctx.tenant.id,
      device.id,
    ])
    ctx.record({ before: null, after: device })
    ctx.emit({ type: 'device.paired', site_id, data: { device: deviceFace(device) } })
    return { ...device, pairing_expires_at: pairing.expires_at }
  },
})

export const pairingOperations = [start, poll, confirm]
