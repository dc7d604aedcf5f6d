import Type from 'typebox'
import { ADMINS, STAFF, type Role } from '../../kernel/access.ts'
import { conflict, invalid } from '../../kernel/errors.ts'
import { openStream } from '../../kernel/events/index.ts'
import type { Operation } from '../../kernel/operation.ts'
import { resource } from '../../kernel/resource.ts'
import { Id } from '../../kernel/schema.ts'
import { checkTimezone } from '../../kernel/timezone.ts'
import { extendOpening } from './extend-opening.ts'
import { freeCode, freeSlug, lineLook, slugOf } from './names.ts'
import { checkOpeningHours, type OpeningHours } from './opening-hours.ts'
import { enqueueRefresh } from './refresh-job.ts'
import { counterFields, serviceFields, siteFields } from './schema.ts'

export { edges } from './graphql.ts'
export {
  checkOpeningHours,
  closesAt,
  exceptionAt,
  isOpen,
  nextOpening,
  openingDays,
  type OpeningDay,
  type OpeningException,
  OpeningHours,
} from './opening-hours.ts'
export { REFRESH_QUEUES } from './refresh-job.ts'
export { lineLook } from './names.ts'
export { Names } from './schema.ts'

/** Screens and kiosks show places and lines too. */
const READERS: readonly Role[] = [...STAFF, 'kiosk', 'display']
const shared = { scopes: { read: 'read:site', write: 'write:site' }, roles: { read: READERS, write: ADMINS } } as const
const isActive = { schema: Type.Boolean(), where: 'is_active = $1' }

export const sites = resource({
  ...shared,
  noun: 'sites',
  singular: 'site',
  table: 'sites',
  fields: siteFields,
  filters: { is_active: isActive },
  search: ['name', 'address'],
  within: { sites: 'id = any($1)', queues: 'id in (select site_id from queues where id = any($1))' },
  orderings: ['name', 'created_at'],
  example: { name: 'Hôtel de ville', address: '1 place de la Mairie', timezone: 'Europe/Paris' },
  constraints: { sites_tenant_id_slug_key: () => conflict('slug_taken') },
  siteOf: (site) => site.id,
  async prepare(ctx, site, before) {
    if (site.timezone !== undefined) checkTimezone(site.timezone)
    checkOpeningHours(site.opening_hours)
    if (site.presence_radius_metres !== null && (site.latitude === null || site.longitude === null))
      throw invalid('/latitude', 'required')
    if (before && doorsOf(before) !== doorsOf(site)) await enqueueRefresh(ctx)
    let { slug } = site
    if (slug === undefined) {
      const rows = await ctx.tx.query<{ slug: string }>('select slug from sites')
      slug = freeSlug(slugOf(site.name, 'site'), new Set(rows.map((row) => row.slug)))
    }
    return { ...site, slug, timezone: site.timezone ?? ctx.tenant.timezone }
  },
  created: (ctx, site) => openStream(ctx.tx, ctx.tenant.id, site.id),
})

/** What decides when people may come. */
const doorsOf = (site: { is_active: boolean; opening_hours: OpeningHours | null; timezone?: string }) =>
  JSON.stringify([site.is_active, site.opening_hours, site.timezone])

export const services = resource({
  ...shared,
  noun: 'services',
  singular: 'service',
  table: 'services',
  fields: serviceFields,
  filters: { is_active: isActive },
  search: ['name', 'code'],
  // What is offered there: a service belongs to the organisation, its queues to sites.
  within: {
    sites: 'id in (select service_id from queues where site_id = any($1))',
    queues: 'id in (select service_id from queues where id = any($1))',
  },
  orderings: ['code', 'name', 'created_at'],
  example: { name: 'Cartes d’identité', names: { fr: 'Cartes d’identité', en: 'Identity cards' }, code: 'A' },
  constraints: { services_tenant_id_code_key: () => conflict('code_taken') },
  async prepare(ctx, service, before) {
    const isOther =
      before?.is_active !== service.is_active || before.expected_duration_seconds !== service.expected_duration_seconds
    if (before && isOther) await enqueueRefresh(ctx)
    let { code } = service
    if (code === undefined) {
      const rows = await ctx.tx.query<{ code: string }>('select code from services')
      const free = freeCode(new Set(rows.map((row) => row.code)))
      if (free === undefined) throw conflict('code_taken')
      code = free
    }
    const look = lineLook(code)
    return { ...service, code, colour: service.colour ?? look.colour, shape: service.shape ?? look.shape }
  },
})

export const counters = resource({
  ...shared,
  noun: 'counters',
  singular: 'counter',
  table: 'counters',
  fields: counterFields,
  fixed: ['site_id'],
  filters: { site: { schema: Id, where: 'site_id = $1' }, is_active: isActive },
  search: ['name'],
  orderings: ['name', 'created_at'],
  example: { site_id: 1, name: 'Guichet 1' },
  constraints: { counters_tenant_id_site_id_name_key: () => conflict('name_taken') },
  siteOf: (counter) => counter.site_id,
})

export const operations: readonly Operation[] = [
  ...sites.operations,
  extendOpening(sites),
  ...services.operations,
  ...counters.operations,
]
