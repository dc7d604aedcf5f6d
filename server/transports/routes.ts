import type { HttpBinding, Operation } from '../kernel/operation.ts'

/** Where the tenant of a request is named, and which credential counts. */
export type Entrance = 'tenant' | 'own_tenant' | 'public' | 'visitor' | 'root'

/** One URL that answers an operation; `{param}` placeholders, trailing slash. */
export interface Route {
  method: HttpBinding['method']
  path: string
  entrance: Entrance
  /** Described in the OpenAPI document; the other spellings answer the same. */
  isCanonical: boolean
}

const API = '/api/v1'

/**
 * Every URL of an operation. Tenant operations answer below `/api/v1/tenants/{tenant}` and below `/api/v1` (the tenant
 * is the header's or the credential's own); public ones below `/api/v1/public/{tenant}` and `/public/{tenant}`; a
 * visitor's below `/api/v1/t/{token}` and `/t/{token}`.
 */
export function routesOf({ http }: Operation): Route[] {
  const { method, path, base = 'tenant' } = http
  const route = (full: string, entrance: Entrance, isCanonical = false): Route => ({
    method,
    path: full,
    entrance,
    isCanonical,
  })
  const aliases = (http.aliases ?? []).flatMap(spellings).map((alias): Route => ({
    method: alias.method ?? method,
    path: alias.path,
    entrance: entranceOf(alias.path, base),
    isCanonical: false,
  }))
  if (base === 'public') {
    return [
      route(`${API}/public/{tenant}${path}`, 'public', true),
      route(`/public/{tenant}${path}`, 'public'),
      ...aliases,
    ]
  }
  if (base === 'root') {
    if (!path.startsWith('/t/{token}/')) return [route(API + path, 'root', true), ...aliases]
    return [route(API + path, 'visitor', true), route(path, 'visitor'), ...aliases]
  }
  return [route(`${API}/tenants/{tenant}${path}`, 'tenant', true), route(API + path, 'own_tenant'), ...aliases]
}

/** Public paths answer without the interface's prefix too: they stand on paper. */
function spellings(alias: NonNullable<HttpBinding['aliases']>[number]) {
  const isPublic = alias.path.startsWith(`${API}/public/`)
  return isPublic ? [alias, { ...alias, path: alias.path.slice(API.length) }] : [alias]
}

function entranceOf(path: string, base: NonNullable<HttpBinding['base']>): Entrance {
  if (path.includes('{token}')) return 'visitor'
  if (/^(\/api\/v1)?\/public\//.test(path)) return 'public'
  if (base !== 'tenant') return base
  return path.includes('{tenant}') ? 'tenant' : 'own_tenant'
}

export const paramsOf = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)
/** Fastify's spelling of a path. */
export const fastifyPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1')
/** Matches a concrete path, with or without its trailing slash; named groups are the parameters. */
export const pathPattern = (path: string): RegExp =>
  new RegExp(`^${path.replace(/\/$/, '').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}/?$`)
