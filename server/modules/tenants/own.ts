import Type from 'typebox'
import { brandContrast, LEAST_CONTRAST, readable } from '../../../shared/contrast.ts'
import { ADMINS, STAFF } from '../../kernel/access.ts'
import { invalid } from '../../kernel/errors.ts'
import { checkIfMatch } from '../../kernel/etag.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed } from '../../kernel/schema.ts'
import { checkTimezone } from '../../kernel/timezone.ts'
import { TENANT_COLUMNS, TenantEntity } from './schema.ts'

export const get = operation({
  id: 'tenants.get',
  kind: 'query',
  summary: 'Get the organisation',
  scope: 'read:tenant',
  roles: STAFF,
  http: { method: 'GET', path: '/' },
  input: Closed({}),
  output: TenantEntity,
  example: { input: {} },
  run: (ctx) => ctx.tx.one<TenantEntity>(`select ${TENANT_COLUMNS} from tenants where id = $1`, [ctx.tenant.id]),
})

const {
  name,
  locale,
  timezone,
  data_retention_days,
  message_retention_days,
  take_challenge,
  brand_colour,
  logo_media_id,
} = TenantEntity.properties

const READY_PICTURE = `select from media where id = $1 and kind = 'image' and status = 'ready'`

export const update = operation({
  id: 'tenants.update',
  kind: 'mutation',
  summary: 'Change the organisation',
  scope: 'admin:tenant',
  roles: ADMINS,
  http: { method: 'PATCH', path: '/' },
  input: Closed({
    name: Type.Optional(name),
    locale: Type.Optional(locale),
    timezone: Type.Optional(timezone),
    data_retention_days: Type.Optional(data_retention_days),
    message_retention_days: Type.Optional(message_retention_days),
    take_challenge: Type.Optional(take_challenge),
    brand_colour: Type.Optional(brand_colour),
    logo_media_id: Type.Optional(logo_media_id),
  }),
  output: TenantEntity,
  example: { input: { name: 'Demo Bank' } },
  async run(ctx, changes) {
    if (changes.timezone !== undefined) checkTimezone(changes.timezone)
    if (changes.brand_colour && brandContrast(changes.brand_colour) < LEAST_CONTRAST)
      throw invalid('/brand_colour', 'contrast', { nearest: readable(changes.brand_colour) })
    const logo = changes.logo_media_id ?? null
    if (logo !== null && !(await ctx.tx.maybe(READY_PICTURE, [logo]))) throw invalid('/logo_media_id', 'not_found')
    const before = await ctx.tx.one<TenantEntity>(
      `select ${TENANT_COLUMNS} from tenants where id = $1 for no key update`,
      [ctx.tenant.id],
    )
    checkIfMatch(ctx.ifMatch, get, before)
    const next = { ...before, ...changes }
    const tenant = await ctx.tx.one<TenantEntity>(
      `update tenants set name = $2, locale = $3, timezone = $4, data_retention_days = $5, take_challenge = $6,
         message_retention_days = $7, brand_colour = $8, logo_media_id = $9, updated_at = now()
       where id = $1 returning ${TENANT_COLUMNS}`,
      [
        ctx.tenant.id,
        next.name,
        next.locale,
        next.timezone,
        next.data_retention_days,
        next.take_challenge,
        next.message_retention_days,
        next.brand_colour,
        next.logo_media_id,
      ],
    )
    ctx.record({ before, after: tenant })
    ctx.emit({ type: 'tenant.updated', site_id: 0, data: { tenant } })
    return tenant
  },
})
