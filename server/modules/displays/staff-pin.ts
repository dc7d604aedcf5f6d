import Type from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import { AppError, notFound } from '../../kernel/errors.ts'
import { operation, type Operation } from '../../kernel/operation.ts'
import { Closed, Id, Nullable } from '../../kernel/schema.ts'
import { isMac, mac } from '../authentication/index.ts'
import { kiosks } from './kiosks.ts'

const PURPOSE = 'kiosk-pin'
const textOf = (tenantId: number, kioskId: number, pin: string) => `${tenantId}:${kioskId}:${pin}`

/** Wrong ones in a row that cost nothing; the next waits a minute, and each after it twice as long, up to an hour. */
const FREE_TRIES = 5
const LONGEST_MINUTES = 60
const waitMinutes = (failures: number) =>
  failures < FREE_TRIES ? 0 : Math.min(LONGEST_MINUTES, 2 ** (failures - FREE_TRIES))

/** Typed on the keys of a machine's screen. */
const Pin = Type.String({ pattern: '^\\d{4,8}$' })

const set = operation({
  id: 'kiosks.setPin',
  kind: 'mutation',
  summary: 'Set the PIN of a ticket machine’s staff page',
  description:
    'Four to eight figures; null takes it away. With it staff print the last numbers again, set the volume and pair the machine anew. It is kept under the installation’s key and shown nowhere. A new one is looked at at once, however many wrong ones came before.',
  scope: 'write:display',
  roles: MANAGERS,
  http: { method: 'PUT', path: '/kiosks/{id}/pin/' },
  input: Closed({ id: Id, pin: Nullable(Pin) }),
  output: Closed({ id: Id, has_staff_pin: Type.Boolean() }),
  example: { input: { id: 1, pin: '4711' } },
  async run(ctx, { id, pin }) {
    const before = await ctx.tx.one<{ has_staff_pin: boolean }>(
      'select has_staff_pin from kiosks where id = $1 for no key update',
      [id],
    )
    const row = await ctx.tx.one<{ site_id: number; has_staff_pin: boolean }>(
      `update kiosks set staff_pin_mac = $2, pin_failures = 0, pin_locked_until = null, updated_at = now() where id = $1 returning ${kiosks.columns}`,
      [id, pin === null ? null : mac(PURPOSE, textOf(ctx.tenant.id, id, pin))],
    )
    const { has_staff_pin } = row
    ctx.record({ before: { has_staff_pin: before.has_staff_pin }, after: { has_staff_pin } })
    ctx.emit({ type: 'kiosk.updated', site_id: row.site_id, data: { kiosk: row } })
    return { id, has_staff_pin }
  },
})

const check = operation({
  id: 'kiosks.checkPin',
  kind: 'mutation',
  summary: 'A ticket machine asks whether this is its staff’s PIN',
  description:
    'Of the machine that asks. After five wrong ones in a row none is looked at for a minute, then for two, four and up to sixty (`rate_limited`), and `kiosk.pin_guessed` tells those who run the site.',
  scope: 'read:site',
  roles: ['kiosk'],
  limit: 'pairing',
  unaudited: 'changes nothing: what staff then does at the machine is seen there, and wrong PINs are events',
  http: { method: 'POST', path: '/kiosks/check-pin/' },
  input: Closed({ pin: Pin }),
  output: Closed({ is_right: Type.Boolean() }),
  example: { input: { pin: '4711' } },
  async run({ tx, tenant, actor, emit }, { pin }) {
    const kiosk = await tx.maybe<Tried>(
      `select k.id, k.site_id, k.name, k.staff_pin_mac, k.pin_failures,
         ceil(extract(epoch from k.pin_locked_until - clock_timestamp()))::int as locked_seconds
       from devices d join kiosks k on k.tenant_id = d.tenant_id and k.id = d.kiosk_id
       where d.id = $1 and d.revoked_at is null for no key update of k`,
      [Number(/^device:(\d+)$/.exec(actor.principal)?.[1] ?? 0)],
    )
    if (!kiosk) throw notFound()
    const { id, site_id, name, staff_pin_mac: known, pin_failures, locked_seconds } = kiosk
    if (known === null) return { is_right: false }
    if (locked_seconds !== null && locked_seconds > 0)
      throw new AppError('limit_exceeded', 'rate_limited', { retryAfterSeconds: locked_seconds })
    const text = textOf(tenant.id, id, pin)
    if (isMac(PURPOSE, text, known)) {
      // Typed once while a former key is known, it outlives that key.
      if (pin_failures > 0 || known !== mac(PURPOSE, text))
        await tx.query(
          'update kiosks set staff_pin_mac = $2, pin_failures = 0, pin_locked_until = null where id = $1',
          [id, mac(PURPOSE, text)],
        )
      return { is_right: true }
    }
    const failures = pin_failures + 1
    const minutes = waitMinutes(failures)
    await tx.query(
      `update kiosks set pin_failures = $2,
         pin_locked_until = case when $3 > 0 then clock_timestamp() + make_interval(mins => $3) end where id = $1`,
      [id, failures, minutes],
    )
    if (minutes > 0) emit({ type: 'kiosk.pin_guessed', site_id, data: { kiosk: { id, name }, failures } })
    return { is_right: false }
  },
})
interface Tried {
  id: number
  site_id: number
  name: string
  staff_pin_mac: string | null
  pin_failures: number
  locked_seconds: number | null
}

export const pinOperations: readonly Operation[] = [set, check]
