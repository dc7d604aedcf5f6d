import Type from 'typebox'
import { ADMINS, STAFF } from '../../kernel/access.ts'
import { AppError, conflict } from '../../kernel/errors.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Enum, Locale } from '../../kernel/schema.ts'

const State = Closed({
  language: Locale,
  is_published: Type.Boolean(),
  /** Texts of the organisation's own that visitors read. */
  texts: Type.Integer({ minimum: 0 }),
  /** Those that this language lacks: what they are of, and its name. */
  missing: Type.Array(Closed({ kind: Enum(['service', 'message']), name: Type.String() })),
})
type State = Type.Static<typeof State>

/** Names of services, and messages that the organisation wrote itself in some language: each language needs its own. */
const TEXTS = `
  with language(code) as (values ('fr'), ('en'), ('ar')),
  texts as (
    select l.code, 'service' as kind, s.name, s.names ? l.code and s.names ->> l.code <> '' as is_there
    from services s, language l where s.is_active
    union all
    select l.code, 'message', m.event || ' ' || m.channel,
      exists (select from message_templates o where o.event = m.event and o.channel = m.channel and o.language = l.code)
    from (select distinct event, channel from message_templates) m, language l)
  select l.code as language, t.languages @> array[l.code] as is_published,
    (select count(*)::int from texts x where x.code = l.code) as texts,
    coalesce((select jsonb_agg(jsonb_build_object('kind', x.kind, 'name', x.name) order by x.kind desc, x.name)
              from texts x where x.code = l.code and not x.is_there), '[]') as missing
  from language l, tenants t where t.id = $1 order by array_position(array['fr', 'en', 'ar'], l.code)`

const list = operation({
  id: 'languages.list',
  kind: 'query',
  summary: 'In which languages visitors are served, and which texts each still lacks',
  scope: 'read:tenant',
  roles: STAFF,
  http: { method: 'GET', path: '/languages/' },
  input: Closed({}),
  output: Closed({ results: Type.Array(State) }),
  example: { input: {} },
  run: async (ctx) => ({ results: await states(ctx) }),
})
const states = ({ tx, tenant }: Context) => tx.query<State>(TEXTS, [tenant.id])

const publish = operation({
  id: 'languages.publish',
  kind: 'mutation',
  summary: 'Offer visitors a language, or no longer',
  description: 'Only a language that lacks no text is offered (409 `translation_missing`); one of them at least stays.',
  scope: 'admin:tenant',
  roles: ADMINS,
  http: { method: 'PUT', path: '/languages/{language}/' },
  input: Closed({ language: Locale, is_published: Type.Boolean() }),
  output: State,
  example: { input: { language: 'ar', is_published: true } },
  async run(ctx, { language, is_published }) {
    await ctx.tx.query('select from tenants where id = $1 for no key update', [ctx.tenant.id])
    const all = await states(ctx)
    const state = all.find((each) => each.language === language)!
    if (is_published && state.missing.length > 0)
      throw new AppError('conflict', 'translation_missing', {
        params: { count: state.missing.length },
        members: { missing: state.missing },
      })
    const before = all.filter((each) => each.is_published).map((each) => each.language)
    const after = all
      .map((each) => each.language)
      .filter((each) => (each === language ? is_published : before.includes(each)))
    if (after.length === 0) throw conflict('last_language')
    await ctx.tx.query('update tenants set languages = $2, updated_at = now() where id = $1', [ctx.tenant.id, after])
    ctx.record({ before: { languages: before }, after: { languages: after } })
    ctx.emit({ type: 'tenant.languages_changed', site_id: 0, data: { languages: after } })
    return { ...state, is_published }
  },
})

export const languageOperations: readonly Operation[] = [list, publish]
