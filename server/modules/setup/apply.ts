import Type from 'typebox'
import { ADMINS } from '../../kernel/access.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Name, Text } from '../../kernel/schema.ts'
import { Timezone } from '../../kernel/timezone.ts'
import { constraintsOf, make } from './nouns.ts'
import { TEMPLATE_NAMES, templateOf } from './templates.ts'

const NOUNS = ['sites', 'services', 'queues', 'booking-settings', 'counters', 'displays', 'kiosks', 'agents']

const Made = Closed({ id: Id, name: Type.String() })
const Minute = Type.String({ pattern: '^(?:[01]\\d|2[0-3]):[0-5]\\d$' })

export const apply = operation({
  id: 'setup.apply',
  kind: 'mutation',
  summary: 'Set up a site as places of its kind usually are: services, queues, counters, hours, a display, a kiosk',
  description:
    'Services that the organisation has under the same name are taken, not made again. Whoever asks becomes the agent of the ' +
    'first counter where nobody is one yet, so that a first ticket can be called at once.',
  scope: 'admin:tenant',
  roles: ADMINS,
  http: { method: 'POST', path: '/setup/', status: 201 },
  input: Closed({
    template: Enum(TEMPLATE_NAMES),
    name: Name,
    address: Type.Optional(Text(500)),
    timezone: Type.Optional(Timezone),
    counters: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, default: 3 })),
    opens: Type.Optional(Minute),
    closes: Type.Optional(Minute),
  }),
  output: Closed({
    site: Closed({ id: Id, name: Type.String(), slug: Type.String() }),
    services: Type.Array(Made),
    queues: Type.Array(Made),
    counters: Type.Array(Made),
    display: Made,
    kiosk: Made,
    agent_id: Type.Union([Id, Type.Null()]),
  }),
  example: { input: { template: 'town_hall', name: 'Hôtel de ville', counters: 3 } },
  // Somebody else may set up at the same moment, under the same names.
  constraints: constraintsOf(NOUNS),
  async run(ctx, { template, name, address, timezone, counters = 3, opens, closes }) {
    const { tx, tenant, actor } = ctx
    const kind = templateOf(template)
    const interval = [opens ?? kind.opens, closes ?? kind.closes]
    const site = (await make(ctx, 'sites', {
      name,
      ...(address !== undefined && { address }),
      ...(timezone !== undefined && { timezone }),
      opening_hours: { weekly: Object.fromEntries(kind.days.map((day) => [day, [interval]])) },
    })) as { id: number; name: string; slug: string }
    const have = await tx.query<{ id: number; name: string }>('select id, name from services')
    const services: { id: number; name: string }[] = []
    const queues: { id: number; name: string }[] = []
    for (const { names, seconds, booked } of kind.services) {
      const own = names[tenant.locale]
      const service =
        have.find((each) => each.name === own) ??
        (await make(ctx, 'services', { name: own, names, expected_duration_seconds: seconds }))
      services.push(service)
      const queue = await make(ctx, 'queues', { site_id: site.id, service_id: service.id, name: own })
      queues.push(queue)
      if (booked) await make(ctx, 'booking-settings', { queue_id: queue.id, duration_seconds: seconds })
    }
    const made: { id: number; name: string }[] = []
    for (let n = 1; n <= counters; n++)
      made.push(await make(ctx, 'counters', { site_id: site.id, name: `${kind.counter[tenant.locale]} ${n}` }))
    const languages = [...new Set([tenant.locale, 'fr', 'ar', 'en'])]
    const label = { fr: 'Salle d’attente', en: 'Waiting room', ar: 'قاعة الانتظار' }[tenant.locale]
    const display = await make(ctx, 'displays', { site_id: site.id, name: label, settings: { languages } })
    const door = { fr: 'Entrée', en: 'Entrance', ar: 'المدخل' }[tenant.locale]
    const kiosk = await make(ctx, 'kiosks', { site_id: site.id, name: door, settings: { languages } })
    const agentId = actor.userId === null ? null : await agentOf(ctx, site.id, made[0]!.id, queues)
    const plain = ({ id, name }: { id: number; name: string }) => ({ id, name })
    const result = {
      site: { id: site.id, name: site.name, slug: site.slug },
      services: services.map(plain),
      queues: queues.map(plain),
      counters: made.map(plain),
      display: plain(display),
      kiosk: plain(kiosk),
      agent_id: agentId,
    }
    ctx.record({ before: null, after: { template, ...result } })
    return result
  },
})

/** The person who sets up, at the first counter. */
async function agentOf(
  ctx: Context,
  siteId: number,
  counterId: number,
  queues: readonly { id: number }[],
): Promise<number> {
  const { name } = await ctx.tx.one<{ name: string }>('select name from users where id = $1', [ctx.actor.userId])
  const agent = await make(ctx, 'agents', {
    user_id: ctx.actor.userId,
    site_id: siteId,
    name,
    counter_id: counterId,
    queues: queues.map(({ id }) => ({ queue_id: id })),
  })
  return agent.id
}
