import { randomUUID } from 'node:crypto'
import type { Tx } from '../../kernel/db/types.ts'
import { AppError } from '../../kernel/errors.ts'
import { sign, verify, type TokenType } from './keys.ts'

/** A signed token that can be redeemed once, in whatever process. Nothing is stored until then. */
export async function issueOnce(
  tx: Tx,
  type: TokenType,
  claims: Record<string, unknown>,
  lifeSeconds: number,
): Promise<string> {
  const { now } = await tx.one<{ now: number }>('select extract(epoch from now())::bigint as now')
  return sign(type, { ...claims, jti: randomUUID(), iat: now, exp: now + lifeSeconds })
}

/**
 * The claims of a token that was not used before. It is used up even if what follows fails, as long as `tx` commits.
 * @throws AppError unauthorized `token_invalid` or `token_expired`
 */
export async function redeemOnce<Claims>(tx: Tx, type: TokenType, token: string): Promise<Claims> {
  const claims = verify(type, token)
  const first = await tx.maybe(
    `with old as (delete from used_tokens where expires_at < now() - interval '1 minute')
     insert into used_tokens (id, expires_at) values ($1, to_timestamp($2)) on conflict do nothing returning id`,
    [claims['jti'], claims['exp']],
  )
  if (!first) throw new AppError('unauthorized', 'token_invalid')
  return claims as Claims
}
