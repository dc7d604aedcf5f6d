import Type from 'typebox'
import { MANAGERS, ROLE_SCOPES } from '../../kernel/access.ts'
import { now } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/types.ts'
import { invalid } from '../../kernel/errors.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Id, Nullable, Time } from '../../kernel/schema.ts'
import { announceEnd, isMac, mac, signAccessToken } from '../authentication/index.ts'

const PURPOSE = 'display-link'
const textOf = (tenantId: number, displayId: number, version: number) => `${tenantId}:${displayId}:${version}`

/** Path that opens a display's screen: what is typed once into the television. Only this installation can compute it. */
export const displayLink = (tenant: { id: number; slug: string }, displayId: number, version = 1): string =>
  `/display/${tenant.slug}/${displayId}?token=${mac(PURPOSE, textOf(tenant.id, displayId, version))}`

/** A display whose link was shown. */
export interface OpenedDisplay {
  id: number
  site_id: number
  link_version: number
  /** Seconds until the link ends, at most a day; null = it does not. */
  seconds_left: number | null
}

/** The display behind a link that still counts: one of another version, past its time or switched off opens nothing. */
export async function openDisplay(
  db: Database,
  tenantId: number,
  displayId: number,
  token: string,
): Promise<OpenedDisplay | undefined> {
  const display = await db.reader(tenantId).maybe<OpenedDisplay>(
    `select id, site_id, link_version, least(extract(epoch from link_expires_at - now()), 86400)::int as seconds_left from displays
     where id = $1 and is_active and (link_expires_at is null or link_expires_at > now())`,
    [displayId],
  )
  const isRight = display && isMac(PURPOSE, textOf(tenantId, displayId, display.link_version), token)
  return isRight ? display : undefined
}

/** A process that starts anew does not know which links were changed before: no longer than this one counts there. */
const ACCESS_SECONDS = 600
const sessionOf = (tenantId: number, displayId: number, version: number) =>
  `display:${tenantId}:${displayId}:${version}`

/** What the screen reads with: a display's access token, renewed by the page before it ends. */
export function displayAccess(
  tenantId: number,
  { id, site_id, link_version, seconds_left }: OpenedDisplay,
): { access: string; expires_in: number } {
  const lifeSeconds = Math.max(1, Math.min(ACCESS_SECONDS, seconds_left ?? Infinity))
  const claims = {
    sub: `display:${id}`,
    user_id: null,
    tenant_id: tenantId,
    role: 'display',
    scopes: ROLE_SCOPES.display,
    site_ids: [site_id],
    sid: sessionOf(tenantId, id, link_version),
    iat: Math.floor(now() / 1000),
  } as const
  return { access: signAccessToken(claims, lifeSeconds), expires_in: lifeSeconds }
}

interface Row {
  id: number
  site_id: number
  link_version: number
  link_expires_at: string | null
}
const Link = Closed({ url: Type.String(), expires_at: Nullable(Time) })
const linkOf = ({ tenant, url }: Context, { id, link_version, link_expires_at }: Row) => ({
  url: url(displayLink(tenant, id, link_version)),
  expires_at: link_expires_at,
})
const managed = { scope: 'write:display', roles: MANAGERS } as const

const get = operation({
  ...managed,
  id: 'displays.link',
  kind: 'query',
  summary: 'Get the link that opens a display',
  description: 'Whoever has it sees what the display shows, and can do nothing else.',
  http: { method: 'GET', path: '/displays/{id}/link/' },
  input: Closed({ id: Id }),
  output: Link,
  example: { input: { id: 1 } },
  run: async (ctx, { id }) =>
    linkOf(
      ctx,
      await ctx.tx.one<Row>('select id, site_id, link_version, link_expires_at from displays where id = $1', [id]),
    ),
})

const rotate = operation({
  ...managed,
  id: 'displays.rotateLink',
  kind: 'mutation',
  summary: 'Give a display another link',
  description:
    'The old link and every screen opened with it end at once. `expires_at` makes the new one end by itself.',
  http: { method: 'POST', path: '/displays/{id}/rotate-link/' },
  input: Closed({ id: Id, expires_at: Type.Optional(Nullable(Time)) }),
  output: Link,
  example: { input: { id: 1 } },
  async run(ctx, { id, expires_at = null }) {
    const { isPast } = await ctx.tx.one<{ isPast: boolean }>(
      'select coalesce($1::timestamptz <= now(), false) as "isPast"',
      [expires_at],
    )
    if (isPast) throw invalid('/expires_at', 'past')
    const row = await ctx.tx.one<Row>(
      `update displays set link_version = link_version + 1, link_expires_at = $2 where id = $1
       returning id, site_id, link_version, link_expires_at`,
      [id, expires_at],
    )
    const before = row.link_version - 1
    ctx.record({
      before: { link_version: before },
      after: { link_version: row.link_version, link_expires_at: expires_at },
    })
    ctx.emit({ type: 'display.link_rotated', site_id: row.site_id, data: { display: { id } } })
    await announceEnd(ctx.tx, sessionOf(ctx.tenant.id, id, before))
    return linkOf(ctx, row)
  },
})

export const linkOperations: readonly Operation[] = [get, rotate]
