import Type from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import { invalid, notFound } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Text, Time } from '../../kernel/schema.ts'

/** Shown over everything a screen has. At least one language; readers of the others see the first that is there. */
const Alert = Closed({
  kind: Enum(['evacuation', 'notice']),
  text: Closed({ fr: Type.Optional(Text(200)), en: Type.Optional(Text(200)), ar: Type.Optional(Text(200)) }),
  since: Time,
})
const { kind, text } = Alert.properties

const Alerted = Closed({ display_ids: Type.Array(Id) })
const shared = { kind: 'mutation', scope: 'write:display', roles: MANAGERS, output: Alerted } as const
const path = '/sites/{site_id}/alert/'
const Where = {
  site_id: Id,
  /** All of the site when absent. */
  display_ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 200, uniqueItems: true })),
}

const start = operation({
  ...shared,
  id: 'displays.alert',
  summary: 'Say something over everything on the screens of a site',
  description: 'Replaces an alert that is there. The screens show it until it is ended.',
  http: { method: 'POST', path },
  input: Closed({ ...Where, kind, text }),
  example: { input: { site_id: 1, kind: 'notice', text: { fr: 'Panne du système : merci de patienter.' } } },
  async run(ctx, { site_id, display_ids, ...alert }) {
    if (Object.keys(alert.text).length === 0) throw invalid('/text', 'required')
    return say(ctx, site_id, display_ids, alert)
  },
})

const end = operation({
  ...shared,
  id: 'displays.endAlert',
  summary: 'Take the alert off the screens of a site',
  http: { method: 'DELETE', path },
  input: Closed({ site_id: Id }),
  example: { input: { site_id: 1 } },
  run: (ctx, { site_id }) => say(ctx, site_id, undefined, null),
})

/** One event a screen, so that each learns it on its own feed. */
async function say(ctx: Context, siteId: number, displayIds: readonly number[] | undefined, alert: object | null) {
  const { exists } = await ctx.tx.one<{ exists: boolean }>('select exists (select from sites where id = $1)', [siteId])
  if (!exists) throw notFound()
  const shown = await ctx.tx.query<{ id: number; name: string; queue_ids: number[]; alert: unknown }>(
    `update displays set alert = $3::jsonb || jsonb_build_object('since', to_jsonb(now() at time zone 'UTC') #>> '{}' || 'Z')
     where site_id = $1 and ($2::bigint[] is null or id = any($2)) returning id, name, queue_ids, alert`,
    [siteId, displayIds ?? null, alert && JSON.stringify(alert)],
  )
  if (displayIds && shown.length < displayIds.length) throw notFound()
  for (const display of shown) ctx.emit({ type: 'display.updated', site_id: siteId, data: { display } })
  ctx.record({ before: null, after: { id: siteId, alert } })
  return { display_ids: shown.map(({ id }) => id) }
}

export const NullableAlert = Nullable(Alert)
export const alertOperations = [start, end]
