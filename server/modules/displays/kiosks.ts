import Type from 'typebox'
import { MANAGERS, STAFF } from '../../kernel/access.ts'
import { notFound } from '../../kernel/errors.ts'
import type { Context } from '../../kernel/operation.ts'
import { Default, resource } from '../../kernel/resource.ts'
import { Closed, Enum, Id, Locale, Name } from '../../kernel/schema.ts'

/** How a ticket machine asks and prints; what is missing takes the machine's own default. */
const KioskSettings = Closed({
  /** In the order they are offered. */
  languages: Type.Optional(Type.Array(Locale, { minItems: 1, maxItems: 3, uniqueItems: true })),
  /** Back to the first page when nobody has touched it for so long. */
  idle_seconds: Type.Optional(Type.Integer({ minimum: 5, maximum: 600 })),
  prints: Type.Optional(Type.Boolean()),
  /** `browser` (the default) leaves it to the system; the others send ESC/POS over a serial port, or USB, that staff has chosen at the machine. */
  printer: Type.Optional(Enum(['browser', 'serial', 'usb'])),
  /** Width of the paper of an ESC/POS printer; 80 when absent. */
  paper_width_mm: Type.Optional(Type.Union([Type.Literal(58), Type.Literal(80)])),
  /** Of a serial port; 115200 when absent. */
  baud_rate: Type.Optional(Type.Integer({ minimum: 9600, maximum: 921_600 })),
  /** Of the screen: access mode keeps its letters at 7.3 mm; 140 when absent. */
  dots_per_inch: Type.Optional(Type.Integer({ minimum: 30, maximum: 400 })),
  shows_qr: Type.Optional(Type.Boolean()),
  asks_phone: Type.Optional(Type.Boolean()),
  show_wait: Type.Optional(Type.Boolean()),
  /** Numbers of each queue and day that it may give while it has no network; 20 when absent, none for 0. */
  offline_numbers: Type.Optional(Type.Integer({ minimum: 0, maximum: 200 })),
})

export const kiosks = resource({
  noun: 'kiosks',
  singular: 'kiosk',
  table: 'kiosks',
  fields: {
    site_id: Id,
    name: Name,
    /** Queues it offers; all of the site when empty. */
    queue_ids: Default(Type.Array(Id, { maxItems: 200, uniqueItems: true }), []),
    settings: Default(KioskSettings, {}),
    is_active: Default(Type.Boolean(), true),
  },
  fixed: ['site_id'],
  readOnly: { has_staff_pin: Type.Boolean() },
  scopes: { read: 'read:site', write: 'write:display' },
  roles: { read: [...STAFF, 'kiosk'], write: MANAGERS },
  filters: {
    site: { schema: Id, where: 'site_id = $1' },
    is_active: { schema: Type.Boolean(), where: 'is_active = $1' },
  },
  search: ['name'],
  orderings: ['name', 'created_at'],
  example: { site_id: 1, name: 'Entrée', settings: { languages: ['fr', 'ar'], prints: true } },
  siteOf: (kiosk) => kiosk.site_id,
  async prepare(ctx, kiosk) {
    await checkQueues(ctx, kiosk)
    return kiosk
  },
})

/** @throws the one not-found error when one of the queues is not the site's */
export async function checkQueues(ctx: Context, wanted: { site_id: number; queue_ids: number[] }): Promise<void> {
  const { unknown } = await ctx.tx.one<{ unknown: boolean }>(
    `select exists (select unnest($1::bigint[]) except select id from queues where site_id = $2) as unknown`,
    [wanted.queue_ids, wanted.site_id],
  )
  if (unknown) throw notFound()
}
