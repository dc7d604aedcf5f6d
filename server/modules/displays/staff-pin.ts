import Type from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import { notFound } from '../../kernel/errors.ts'
import { operation, type Operation } from '../../kernel/operation.ts'
import { Closed, Id, Nullable } from '../../kernel/schema.ts'
import { isMac, mac } from '../authentication/index.ts'
import { kiosks } from './kiosks.ts'

const PURPOSE = 'kiosk-pin'
const textOf = (tenantId: number, kioskId: number, pin: string) => `${tenantId}:${kioskId}:${pin}`

/** Typed on the keys of a machine's screen. */
const Pin = Type.String({ pattern: '^\\d{4,8}$' })

const set = operation({
  id: 'kiosks.setPin',
  kind: 'mutation',
  summary: 'Set the PIN of a ticket machine’s staff page',
  description:
    'Four to eight figures; null takes it away. With it staff print the last numbers again, set the volume and pair the machine anew. It is kept under the installation’s key and shown nowhere.',
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
      `update kiosks set staff_pin_mac = $2, updated_at = now() where id = $1 returning ${kiosks.columns}`,
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
  description: 'Of the machine that asks. Few attempts a minute.',
  scope: 'read:site',
  roles: ['kiosk'],
  limit: 'pairing',
  unaudited: 'changes nothing: what staff then does at the machine is seen there',
  http: { method: 'POST', path: '/kiosks/check-pin/' },
  input: Closed({ pin: Pin }),
  output: Closed({ is_right: Type.Boolean() }),
  example: { input: { pin: '4711' } },
  async run({ tx, tenant, actor }, { pin }) {
    const kiosk = await tx.maybe<{ id: number; staff_pin_mac: string | null }>(
      `select k.id, k.staff_pin_mac from devices d join kiosks k on k.tenant_id = d.tenant_id and k.id = d.kiosk_id
       where d.id = $1 and d.revoked_at is null`,
      [Number(/^device:(\d+)$/.exec(actor.principal)?.[1] ?? 0)],
    )
    if (!kiosk) throw notFound()
    const { id, staff_pin_mac: known } = kiosk
    const text = textOf(tenant.id, id, pin)
    if (known === null || !isMac(PURPOSE, text, known)) return { is_right: false }
    // Typed once while a former key is known, it outlives that key.
    if (known !== mac(PURPOSE, text))
      await tx.query('update kiosks set staff_pin_mac = $2 where id = $1 and staff_pin_mac = $3', [
        id,
        mac(PURPOSE, text),
        known,
      ])
    return { is_right: true }
  },
})

export const pinOperations: readonly Operation[] = [set, check]
