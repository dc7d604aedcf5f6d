import { AppError } from '../../kernel/errors.ts'
import type { Context } from '../../kernel/operation.ts'

const IS_ELSEWHERE = (table: string) => `exists (select from ${table} r where r.customer_id = $1
  and not (($2::bigint[] is null or r.site_id = any($2)) and ($3::bigint[] is null or r.queue_id = any($3))))`
const BEYOND = `select ${IS_ELSEWHERE('tickets')} or ${IS_ELSEWHERE('appointments')} as is_beyond`

/**
 * All of a person is handed out, and forgotten, by whoever has all the places where the person was.
 * @throws AppError forbidden for who is limited to some of them
 */
export async function checkWhole({ tx, actor }: Pick<Context, 'tx' | 'actor'>, customerId: number): Promise<void> {
  const { siteIds, queueIds } = actor
  if (!siteIds && !queueIds) return
  const values = [customerId, siteIds ?? null, queueIds ?? null]
  const { is_beyond } = await tx.one<{ is_beyond: boolean }>(BEYOND, values)
  if (is_beyond) throw new AppError('forbidden', 'forbidden')
}
