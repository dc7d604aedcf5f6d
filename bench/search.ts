/** `npm run bench:search`: docs/search.md says what is measured and how. */
import { parseArgs } from 'node:util'
import { openDatabase } from '../server/kernel/db/index.ts'
import { systemActor } from '../server/kernel/access.ts'
import { Hub } from '../server/kernel/events/index.ts'
import { Runtime } from '../server/kernel/execute.ts'
import type { Tenant } from '../server/kernel/operation.ts'
import { operations } from '../server/modules/search/index.ts'
import { startCluster } from './cluster.ts'
import { describeMachine } from './machine.ts'

const { values: options } = parseArgs({
  options: {
    tickets: { type: 'string', default: '500000' },
    customers: { type: 'string', default: '100000' },
    tenants: { type: 'string', default: '200' },
    directory: { type: 'string' },
  },
})
const RUNS = 9
const QUERIES = [
  'samira haddad',
  'samira hadad',
  'smaira',
  'ma',
  'martin',
  'محمد',
  'فاطمه الزهرا',
  '0612345678',
  '345678',
  'A042',
  '42',
  'fauteuil',
  'zzyzx qwerty',
]

/** A third of all belongs to the first organisation; the rest is spread over the others. Names are common ones, with all that is common about them. */
const SEED = `
  insert into tenants (slug, name, timezone) select 'bench-' || n, 'Bench ' || n, 'Europe/Paris' from generate_series(1, $1::int) n;`
const FIRST = `array['Samira','Mohamed','Marie','Jean','Fatima','Éléonore','Karim','Nadia','Paul','Sophie','محمد','فاطمة','علي','خديجة','Thomas','Léa','Hugo','Chloé','Youssef','Inès']`
const LAST = `array['Haddad','Martin','Lefèvre','Dupont','Bernard','Moreau','عبد الله','الزهراء','Benali','García','Müller','Nguyen','Diallo','Traoré','Rossi','Martineau','Marchand','Petit','Durand','Leroy','Öztürk','Kowalski']`

const cluster = await startCluster(options.directory)
const db = await openDatabase({ url: cluster.url, directUrl: cluster.directUrl })
const hub = new Hub(db)
try {
  const { at, processor, cores, memoryGiB, node, postgres } = await describeMachine(cluster.direct)
  console.log(
    `${at.slice(0, 10)}, ${cores} cores (${processor}), ${memoryGiB} GiB, Node ${node}, PostgreSQL ${postgres}\n`,
  )
  const [tickets, customers, tenants] = [Number(options.tickets), Number(options.customers), Number(options.tenants)]
  const own = cluster.direct.query
  const started = performance.now()
  await own(SEED, [tenants])
  await own(`set session_replication_role = replica; set synchronous_commit = off; select setseed(0.5)`)
  await own(
    `insert into sites (tenant_id, name, slug, timezone) select id, 'Site ' || n, 'site-' || n, 'Europe/Paris' from tenants, generate_series(1, 5) n`,
  )
  await own(
    `insert into services (tenant_id, name, code) select id, 'Service ' || n, chr(64 + n) from tenants, generate_series(1, 4) n`,
  )
  await own(
    `insert into queues (tenant_id, site_id, service_id, name, number_prefix) select s.tenant_id, s.id, v.id, s.name, v.code from sites s join services v using (tenant_id)`,
  )
  await own(
    `insert into customers (tenant_id, name, phone, email, note)
     select case when random() < 0.33 then 1 else 1 + floor(random() * $2)::int end, f || ' ' || l,
       '+336' || lpad(floor(random() * 1e8)::int::text, 8, '0'), 'user' || n || '@example.org', ''
     from (select n, (${FIRST})[1 + floor(random() * 20)::int] as f, (${LAST})[1 + floor(random() * 22)::int] as l from generate_series(1, $1::int) n) p`,
    [customers, tenants],
  )
  await own(
    `update customers set phone = '+33612345678' where (tenant_id, id) in (select tenant_id, max(id) from customers group by tenant_id)`,
  )
  await own(
    `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, status, rank,
       customer_id, note, entered_at, created_at, ended_at)
     select q.tenant_id, q.site_id, q.id, q.service_id, d.day, q.id, d.day, d.n, q.number_prefix || lpad((d.n % 400)::text, 3, '0'), 'kiosk', 'terminé', d.n,
       case when random() < 0.4 then (select id from customers c where c.tenant_id = q.tenant_id and c.id >= d.c order by c.id limit 1) end,
       case when random() < 0.02 then 'Fauteuil roulant, rappeler le ' || d.n else '' end, d.day + interval '9 hours', d.day + interval '9 hours', d.day + interval '10 hours'
     from (select n, current_date - floor(random() * 365)::int as day, case when random() < 0.33 then 1 else 1 + floor(random() * $2)::int end as tenant,
             floor(random() * 20)::int as place, floor(random() * $3)::int as c from generate_series(1, $1::int) n) d
     join lateral (select * from queues q where q.tenant_id = d.tenant order by q.id offset d.place limit 1) q on true`,
    [tickets, tenants, customers],
  )
  await own('reset session_replication_role; reset synchronous_commit')
  await own('vacuum analyze')
  const [sizes] = await own<{ customers: number; tickets: number; big: number; small: number; gin: number }>(
    `select (select count(*) from customers)::int as customers, (select count(*) from tickets)::int as tickets,
       (select count(*) from customers where tenant_id = 1)::int as big, (select count(*) from customers where tenant_id = 2)::int as small,
       (pg_relation_size('customers_search') / 1048576)::int as gin`,
  )
  console.log(
    `${sizes!.tickets} tickets, ${sizes!.customers} customers of ${tenants} organisations (${sizes!.big} of the first, ${sizes!.small} of the second) made in ${((performance.now() - started) / 1000).toFixed(0)} s; index of customers ${sizes!.gin} MB\n`,
  )
  const runtime = new Runtime({ db, hub, url: (path) => path, renderError: (error) => error.code })
  for (const id of [1, 2]) {
    const [tenant] = await own<Tenant>(
      'select id, slug, name, locale, timezone, is_active, take_challenge from tenants where id = $1',
      [id],
    )
    console.log(`the ${id === 1 ? 'first' : 'second'} organisation: whole operation below HTTP, ${RUNS} times`)
    for (const q of QUERIES) {
      const times: number[] = []
      let found = 0
      for (let run = 0; run < RUNS; run++) {
        const begin = performance.now()
        const { output } = await runtime.execute(operations[0]!, {
          actor: systemActor(id),
          tenant: tenant!,
          locale: 'fr',
          input: { q },
          isFresh: true,
        })
        times.push(performance.now() - begin)
        found = (output as { results: unknown[] }).results.length
      }
      const sorted = times.toSorted((a, b) => a - b)
      console.log(
        `  ${q.padEnd(16)} ${sorted[RUNS >> 1]!.toFixed(1).padStart(7)} ms median ${sorted.at(-1)!.toFixed(1).padStart(7)} ms worst ${String(found).padStart(4)} found`,
      )
    }
  }
  console.log('\nas the function looks, for the role that owns it:')
  await explain('sq_owner', `app.words(c.search_text || ' ' || c.note) @@ '''samira'':* & ''hadd'':*'::tsquery`)
  await explain('sq_owner', `'hadad' <% c.search_text and 'smira' <% c.search_text`)
  console.log('\nthe same behind the policy, where these operators reach no index:')
  await explain('sq_app', `app.words(c.search_text || ' ' || c.note) @@ '''samira'':* & ''hadd'':*'::tsquery`)
} finally {
  await hub.stop()
  await db.close()
  await cluster.close()
}

async function explain(role: string, condition: string): Promise<void> {
  const { query } = cluster.direct
  await query(
    `begin; set local role ${role}; set local pg_trgm.word_similarity_threshold = 0.4; set local plan_cache_mode = force_custom_plan`,
  )
  await query(`select set_config('app.current_tenant_id', '1', true)`)
  const rows = await query<{ 'QUERY PLAN': string }>(
    `explain (analyze, costs off, buffers off) select c.id from customers c where c.tenant_id = 1::bigint and ${condition} order by c.id desc limit 60`,
  )
  await query('rollback')
  console.log(rows.map((row) => `  ${row['QUERY PLAN']}`).join('\n'))
}
