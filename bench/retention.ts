/**
 * `npm run bench:retention [-- --rows 1000000 --nights 8]`: what the nights that forget messages and deliveries of webhooks cost, in a table that keeps
 * thirty days: rows deleted in batches, as the product does, beside a part for each day that is detached and dropped.
 */
import { parseArgs } from 'node:util'
import { startCluster } from './cluster.ts'
import { median } from './measure/stats.ts'

const { values: options } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, nights: { type: 'string', default: '8' } },
})
const DAYS = 30
const TENANTS = 20
const BATCH = 5000
const nights = Number(options.nights)
const BASE = `timestamptz '${new Date().toISOString()}'`
const aDay = Math.round(Number(options.rows) / DAYS)

const cluster = await startCluster()
const { query } = cluster.direct
const number = async (text: string) => Number((await query<{ n: number }>(`select (${text})::float8 as n`))[0]!.n)
const timed = async (work: () => Promise<unknown>) => {
  const from = performance.now()
  await work()
  return performance.now() - from
}

/** Rows of the day that lies so many days back, in the order in which they come. */
const MESSAGES = (table: string) => `
  insert into ${table} (tenant_id, id, direction, site_id, ticket_id, kind, channel, language, address, body, status, provider, provider_id, dedupe_key, created_at)
  select 1 + n % ${TENANTS}, day * 1000000::bigint + n, 'out', 1, day * 1000000::bigint + n / 3, 'called', 'sms', 'fr', '+3360' || n, repeat('Your turn. ', 12),
    'delivered', 'http', 'p' || day || '-' || n, 'k' || day || '-' || n, ${BASE} - make_interval(days => day) - make_interval(secs => n * 86400.0 / ${aDay})
  from generate_series(1, ${aDay}) n, (select $1::int as day) d`
const DELIVERIES = `
  insert into webhook_deliveries (tenant_id, id, webhook_id, site_id, epoch, "offset", type, status, created_at)
  select 1 + n % ${TENANTS}, day * 1000000::bigint + n, 1, 1, 'e', day * 1000000::bigint + n, 'ticket.called', 'delivered',
    ${BASE} - make_interval(days => day) - make_interval(secs => n * 86400.0 / ${aDay})
  from generate_series(1, ${aDay}) n, (select $1::int as day) d`
const ATTEMPTS = `
  insert into webhook_attempts (tenant_id, delivery_id, attempt, at, duration_ms, status_code, request_body)
  select 1 + n % ${TENANTS}, day * 1000000::bigint + n, 1, now(), 30, 200, repeat('{"type":"ticket.called"}', 15)
  from generate_series(1, ${aDay}) n, (select $1::int as day) d`
const FORGET = (table: string) => `
  with gone as (
    delete from ${table} where (tenant_id, id) in (
      select tenant_id, id from ${table} where tenant_id = $1 and created_at < now() - make_interval(days => $2) order by created_at limit ${BATCH}) returning 1)
  select count(*)::int as n from gone`

async function forget(table: string, days: number) {
  for (let tenant = 1; tenant <= TENANTS; tenant++)
    for (let n = BATCH; n === BATCH;) n = (await query<{ n: number }>(FORGET(table), [tenant, days]))[0]!.n
}
/** As the server would by itself, with the settings it has: when a fifth is dead. */
async function cleaned(tables: readonly string[]): Promise<number> {
  let ms = 0
  for (const table of tables) {
    await query('select pg_stat_force_next_flush()')
    const isDue = await number(
      `select (n_dead_tup > 50 + 0.2 * greatest(reltuples, 0))::int from pg_stat_user_tables s join pg_class c on c.oid = s.relid where s.relname = '${table}'`,
    )
    if (!isDue) continue
    const took = await timed(() => query(`vacuum analyze ${table}`))
    ms += took
  }
  return ms
}

async function contest(
  name: string,
  tables: readonly string[],
  come: string[],
  leave: (days: number) => Promise<unknown>,
) {
  const megabytes = () =>
    number(
      `select sum(pg_total_relation_size(coalesce(p.relid, t))) / 1e6 from unnest('{${tables.join(',')}}'::regclass[]) t left join pg_partition_tree(t) p on p.isleaf`,
    )
  const rows = { ms: [] as number[], wal: [] as number[], vacuum: 0 }
  const before = await megabytes()
  for (let night = 0; night < nights; night++) {
    // The day that comes is written as one that lies ahead; each night keeps one day less of what is behind.
    await query('set session_replication_role = replica')
    for (const text of come) await query(text, [-1 - night])
    await query('set session_replication_role = origin')
    const wal = await number(`select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')`)
    rows.ms.push(await timed(() => leave(DAYS - 1 - night)))
    rows.wal.push((await number(`select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')`)) - wal)
    const cleaning = await cleaned(tables.filter((table) => !table.endsWith('_parts')))
    rows.vacuum += cleaning
  }
  console.log(
    `${name}: a night ${median(rows.ms).toFixed(0)} ms (${rows.ms.map((ms) => ms.toFixed(0)).join(' ')}), log ${(median(rows.wal) / 1e6).toFixed(1)} MB, ` +
      `cleaning ${(rows.vacuum / nights).toFixed(0)} ms a night, ${before.toFixed(0)} MB before, ${(await megabytes()).toFixed(0)} after`,
  )
}
const looked = async (table: string) => {
  const ms: number[] = []
  for (let n = 0; n < 200; n++) {
    const ticket = (1 + (n % (DAYS - nights - 1))) * 1_000_000 + n
    ms.push(
      await timed(() =>
        query(`select id, body from ${table} where tenant_id = $1 and ticket_id = $2 order by id`, [
          1 + ((n * 3) % TENANTS),
          ticket,
        ]),
      ),
    )
  }
  return median(ms)
}

try {
  await query('alter system set autovacuum = off')
  await query('select pg_reload_conf()')
  // Tickets and webhooks of nobody.
  await query('set session_replication_role = replica')
  await query(`create table messages_parts (like messages including defaults) partition by range (created_at)`)
  for (const { made } of await query<{ made: string }>(
    `select replace(replace(indexdef, ' ON public.messages ', ' ON messages_parts '), 'INDEX messages', 'INDEX parts_of_messages') as made
     from pg_indexes where tablename = 'messages' and indexdef not like 'CREATE UNIQUE%'`,
  ))
    await query(made)
  await query('create unique index on messages_parts (tenant_id, id, created_at)')
  await query('create unique index on messages_parts (tenant_id, dedupe_key, created_at)')
  for (let day = -nights - 1; day <= DAYS; day++)
    await query(
      `do $$ begin execute format('create table part_${day + 100} partition of messages_parts for values from (%L) to (%L)',
        ${BASE} - interval '${day + 1} days', ${BASE} - interval '${day} days'); end $$`,
    )
  await query('create table messages_default partition of messages_parts default')
  for (const text of [MESSAGES('messages'), MESSAGES('messages_parts'), DELIVERIES, ATTEMPTS])
    for (let day = DAYS - 1; day >= 0; day--) await query(text, [day])
  for (const table of ['messages', 'messages_parts', 'webhook_deliveries', 'webhook_attempts'])
    await query(`vacuum analyze ${table}`)

  console.log(
    `${options.rows} rows of ${DAYS} days in each table, of ${TENANTS} organisations; a night forgets ${aDay}`,
  )
  console.log(
    `messages of a ticket: ${(await looked('messages')).toFixed(2)} ms in one table, ${(await looked('messages_parts')).toFixed(2)} in ${DAYS + nights} parts`,
  )
  await contest('messages, deleted', ['messages'], [MESSAGES('messages')], (days) => forget('messages', days))
  await contest(
    'deliveries and attempts, deleted',
    ['webhook_deliveries', 'webhook_attempts'],
    [DELIVERIES, ATTEMPTS],
    (days) => forget('webhook_deliveries', days),
  )
  await contest('messages, part dropped', ['messages_parts'], [MESSAGES('messages_parts')], async (days) => {
    await query(`alter table messages_parts detach partition part_${days + 100}`)
    await query(`drop table part_${days + 100}`)
  })
} finally {
  await cluster.close()
}
