import Type, { type Static } from 'typebox'
import { checkProof, SCOPES, type Scope } from '../../kernel/access.ts'
import type { Database } from '../../kernel/db/types.ts'
import { AppError, invalid } from '../../kernel/errors.ts'
import { hashToken } from '../../kernel/ids.ts'
import { listPage, type Ordering } from '../../kernel/list.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Name, Nullable, Page, PageInput, Time } from '../../kernel/schema.ts'
import { newCredential, type Credential } from './opaque-tokens.ts'
import { announceEnd } from './revocations.ts'

const ApiKey = Closed({
  id: Id,
  name: Name,
  mode: Enum(['live', 'test'], { description: 'A test key changes nothing outside a sandbox' }),
  prefix: Type.String({ description: 'How the key begins, to recognise it by' }),
  scopes: Type.Array(Enum(SCOPES)),
  created_by: Nullable(Id),
  expires_at: Nullable(Time),
  last_used_at: Nullable(Time),
  revoked_at: Nullable(Time),
  created_at: Time,
  updated_at: Time,
})
type ApiKey = Static<typeof ApiKey>
const COLUMNS = Object.keys(ApiKey.properties).join(', ')

const orderings: Record<string, Ordering> = {
  '-created_at': [
    { column: 'created_at', type: 'timestamptz', descending: true },
    { column: 'id', type: 'integer', descending: true },
  ],
}
/** A key cannot make keys: what leaks must not be able to make itself a successor. */
const managed = { scope: 'admin:tenant', roles: ['admin', 'system'] } as const
const bound = <M extends 'GET' | 'POST' | 'DELETE'>(method: M, path: string) => ({
  method,
  path,
  aliases: [{ path: `/api/v1/auth${path}` }],
})

const isSandbox = async ({ tx, tenant }: Context): Promise<boolean> =>
  (await tx.one<{ is_sandbox: boolean }>('select is_sandbox from tenants where id = $1', [tenant.id])).is_sandbox

const list = operation({
  ...managed,
  id: 'api-keys.list',
  kind: 'query',
  summary: 'List API keys',
  http: bound('GET', '/api-keys/'),
  input: Closed(PageInput),
  output: Page(ApiKey),
  example: { input: {} },
  run: (ctx, page) =>
    listPage<ApiKey>(ctx.tx, `select ${COLUMNS} from api_keys`, orderings, { ...page, ordering: '-created_at' }),
})

const create = operation({
  ...managed,
  id: 'api-keys.create',
  kind: 'mutation',
  mayNeedProof: true,
  summary: 'Create an API key',
  description: 'The key is shown in this answer and never again. It carries the scopes named here and no others.',
  http: { ...bound('POST', '/api-keys/'), status: 201 },
  input: Closed({
    name: Name,
    mode: Type.Optional(Enum(['live', 'test'], { default: 'live' })),
    scopes: Type.Array(Enum(SCOPES), { minItems: 1, uniqueItems: true }),
    expires_at: Type.Optional(Nullable(Time)),
  }),
  output: Closed({ ...ApiKey.properties, key: Type.String() }),
  example: { input: { name: 'Website', scopes: ['read:queue', 'write:ticket'] } },
  async run(ctx, { name, mode = 'live', scopes, expires_at = null }) {
    const isPlay = await isSandbox(ctx)
    if (mode === 'test' && scopes.some((scope) => !scope.startsWith('read:')) && !isPlay)
      throw invalid('/scopes', 'conflict')
    // It outlives the session that it was made in.
    if (!isPlay) checkProof(ctx.actor)
    if (scopes.some((scope) => !ctx.actor.scopes.has(scope))) throw new AppError('forbidden', 'scope_missing')
    const key = newCredential(`sk_${mode}`, ctx.tenant.id)
    const row = await ctx.tx.maybe<ApiKey>(
      `insert into api_keys (name, mode, prefix, key_hash, scopes, created_by, expires_at)
       select $1, $2, $3, $4, $5, $6, $7 where $7::timestamptz is null or $7 > now() returning ${COLUMNS}`,
      [name, mode, key.slice(0, key.lastIndexOf('_') + 5), hashToken(key), scopes, ctx.actor.userId, expires_at],
    )
    if (!row) throw invalid('/expires_at', 'past')
    ctx.record({ before: null, after: row })
    return { ...row, key }
  },
})

const revoke = operation({
  ...managed,
  id: 'api-keys.revoke',
  kind: 'mutation',
  summary: 'Revoke an API key',
  description:
    'It is refused everywhere within five seconds, and its live connections are cut. The row stays, for the trail.',
  http: { ...bound('DELETE', '/api-keys/{id}/'), status: 204 },
  input: Closed({ id: Id }),
  output: Type.Null(),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const { revoked_at } = await ctx.tx.one<ApiKey>(
      `update api_keys set revoked_at = coalesce(revoked_at, now()), updated_at = now() where id = $1 returning ${COLUMNS}`,
      [id],
    )
    ctx.record({ before: { revoked_at: null }, after: { revoked_at } })
    await announceEnd(ctx.tx, keySession(ctx.tenant.id, id))
    return null
  },
})

export const keySession = (tenantId: number, id: number) => `key:${tenantId}:${id}`

/** The holder of a key, or undefined when it opens nothing. */
export async function apiKeyOf(db: Database, tenantId: number, hash: Buffer): Promise<Credential | undefined> {
  const row = await db
    .reader(tenantId)
    .maybe<{ id: number; scopes: string[]; expires_at: string | null; is_stale: boolean }>(
      `select id, scopes, expires_at, coalesce(last_used_at < now() - interval '1 minute', true) as is_stale
     from api_keys where key_hash = $1 and revoked_at is null`,
      [hash],
    )
  if (!row) return undefined
  // Once a minute is enough to see that a key is in use. Nobody waits for the note, and nobody is refused for want of it.
  if (row.is_stale)
    db.tenant(tenantId, (tx) => tx.query('update api_keys set last_used_at = now() where id = $1', [row.id])).catch(
      () => {},
    )
  const scopes = row.scopes.filter((scope): scope is Scope => (SCOPES as readonly string[]).includes(scope))
  return {
    actor: {
      role: 'api_key',
      principal: `api_key:${row.id}`,
      tenantId,
      userId: null,
      scopes: new Set(scopes),
      sessionId: keySession(tenantId, row.id),
      ticketId: null,
    },
    expiresAt: row.expires_at === null ? null : Date.parse(row.expires_at),
  }
}

export const apiKeyOperations = [list, create, revoke]
