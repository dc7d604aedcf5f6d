import type { Tx } from '../../kernel/db/types.ts'
import { rankInTurn, type RankedTicket, type RankingConfig } from '../queues/index.ts'

const LINE = `
  select (select t.rank from tickets t where t.queue_id = $1 and t.status = 'en_attente' order by t.rank, t.id limit 1) as head,
         (select coalesce(json_object_agg(share, finish), '{}') from queue_shares where queue_id = $1) as finishes`
const REMEMBER = `
  insert into queue_shares as s (queue_id, share, finish) select $1::bigint, * from unnest($2::text[], $3::bigint[])
  on conflict (tenant_id, queue_id, share) do update set finish = greatest(s.finish, excluded.finish)`

/**
 * Ranks of tickets that enter a queue whose order remembers what was given, one after the other; the memory is written.
 * The counter of the queue should be locked, so that newcomers take turns.
 */
export async function remembered(
  tx: Tx,
  queueId: number,
  ranking: RankingConfig,
  tickets: readonly RankedTicket[],
): Promise<number[]> {
  const line = await tx.one<{ head: number | null; finishes: Record<string, number> }>(LINE, [queueId])
  const { ranks, finishes } = rankInTurn(ranking, tickets, line)
  await tx.query(REMEMBER, [queueId, Object.keys(finishes), Object.values(finishes)])
  return ranks
}

/** What a queue gave to each share begins anew with its order. */
export async function replaceShares(
  tx: Tx,
  queueId: number,
  finishes: Readonly<Record<string, number>>,
): Promise<void> {
  await Promise.all([
    tx.query('delete from queue_shares where queue_id = $1', [queueId]),
    tx.query(REMEMBER, [queueId, Object.keys(finishes), Object.values(finishes)]),
  ])
}
