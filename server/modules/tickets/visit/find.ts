import Type from 'typebox'
import { addressPrefix } from '../../../kernel/audit/origin.ts'
import { ROLES } from '../../../kernel/access.ts'
import { notFound } from '../../../kernel/errors.ts'
import { hashToken, newVisitorToken } from '../../../kernel/ids.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Text } from '../../../kernel/schema.ts'
import { checkAttempts, recordFailure } from '../../authentication/index.ts'
import { checkLetters } from './check.ts'

/** Numbers begin again every day: of two the newer is meant. */
const CANDIDATES = `
  select t.id, t.token_hash from tickets t
  join sites s on s.tenant_id = t.tenant_id and s.id = t.site_id
  where s.slug = $1 and s.is_active and upper(replace(t.number, '-', '')) = $2 and t.token_hash is not null
    and t.created_at > now() - interval '24 hours'
  order by t.id desc limit 3`

/**
 * Wrong letters in a quarter of an hour, of one number at a site and from one network. There are 1 024: who tries one
 * number has a chance of one in a hundred within it, who tries all numbers from one network waits half a day for any.
 */
const MOST_WRONG = { ofNumber: 10, fromNetwork: 20 }

/** The way back from paper to the page. */
export const findTicket = operation({
  id: 'tickets.find',
  kind: 'mutation',
  summary: 'Find my ticket by its number and check letters',
  description: 'Gives a further link to the page of a ticket taken within a day; links given before keep working.',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/sites/{slug}/find-ticket/', base: 'public' },
  limit: 'pairing',
  input: Closed({ slug: Text(100), number: Text(20, { minLength: 1 }), check: Text(4, { minLength: 2 }) }),
  output: Closed({ public_token: Type.String(), url: Type.String() }),
  example: { input: { slug: 'centre', number: 'A042', check: 'K7' } },
  async run(ctx, { slug, number, check }) {
    const wanted = number.replace(/[\s-]/g, '').toUpperCase()
    const ofNumber = `find-ticket:${ctx.tenant.id}:${slug}:${wanted}`
    const fromNetwork = ctx.origin && `find-ticket:${addressPrefix(ctx.origin.address)}`
    await checkAttempts(ofNumber, MOST_WRONG.ofNumber)
    if (fromNetwork) await checkAttempts(fromNetwork, MOST_WRONG.fromNetwork)
    const rows = await ctx.tx.query<{ id: number; token_hash: Buffer }>(CANDIDATES, [slug, wanted])
    const found = rows.find(({ token_hash }) => checkLetters(token_hash) === check.replace(/\s/g, '').toUpperCase())
    if (!found) {
      await recordFailure(ofNumber)
      if (fromNetwork) await recordFailure(fromNetwork)
      throw notFound()
    }
    const token = newVisitorToken(ctx.tenant.id)
    await ctx.tx.query('insert into ticket_links (ticket_id, token_hash) values ($1, $2)', [found.id, hashToken(token)])
    return { public_token: token, url: ctx.url(`/t/${token}`) }
  },
})
