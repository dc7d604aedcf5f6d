import { createServer, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { testDatabase } from '../../test/harness.ts'
import { AppError } from '../errors.ts'
import { databaseError, openDatabase, type Database } from './index.ts'

const { db, owner, url, directUrl } = await testDatabase()
await owner(`
  create table notes (tenant_id bigint not null, id bigint not null, text text, primary key (tenant_id, id));
  call app.isolate('notes')`)
const [{ a, b }] = (await owner(`
  with t as (insert into tenants (slug, name) values ('a', 'A'), ('b', 'B') returning id)
  select min(id) as a, max(id) as b from t`)) as [{ a: number; b: number }]

const insert = 'insert into notes (id, text) values ($1, $2)'
const count = async (tenant: number) =>
  (await db.reader(tenant).one<{ n: number }>('select count(*) as n from notes')).n
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

/** Another database object on the same server, closed when the test ends. */
async function opened<T>(options: Parameters<typeof openDatabase>[0], use: (db: Database) => Promise<T>): Promise<T> {
  const other = await openDatabase(options)
  try {
    return await use(other)
  } finally {
    await other.close()
  }
}

test('a transaction sees and keeps the rows of its tenant only', async () => {
  await db.tenant(a, (tx) => tx.query(insert, [1, 'of a']))
  expect(await db.reader(a).query('select * from notes')).toEqual([{ tenant_id: a, id: 1, text: 'of a' }])
  expect(await db.reader(b).query('select * from notes')).toEqual([])
  expect(await db.platform((tx) => tx.query('select * from notes'))).toEqual([])
  const foreign = await refusal(db.tenant(b, (tx) => tx.query('insert into notes values ($1, 2)', [a])))
  expect(databaseError(foreign)?.code).toBe('42501')
})

test('everything acts as sq_app', async () => {
  const who = 'select current_user as who'
  expect(await db.reader(a).one(who)).toEqual({ who: 'sq_app' })
  expect(await db.tenant(a, (tx) => tx.one(who))).toEqual({ who: 'sq_app' })
  expect(await db.platform((tx) => tx.one(who))).toEqual({ who: 'sq_app' })
})

test('a rejection rolls back and keeps its own error', async () => {
  const before = await count(a)
  const error = new Error('mine')
  const work = db.tenant(a, async (tx) => {
    await tx.query(insert, [10, 'x'])
    throw error
  })
  expect(await refusal(work)).toBe(error)
  expect(await count(a)).toBe(before)
})

test('finish() sends the last statements with COMMIT and answers their rows', async () => {
  const rows = await db.tenant(a, async (tx) => {
    await tx.query(insert, [20, 'first'])
    return tx.finish([
      { text: `${insert} returning id`, values: [21, 'second'] },
      { text: 'select text from notes where id = $1', values: [20] },
    ])
  })
  expect(rows).toEqual([[{ id: 21 }], [{ text: 'first' }]])
  expect(await db.reader(a).query('select 1 from notes where id in (20, 21)')).toHaveLength(2)
})

test('finish() rejects with the first error, and nothing stays', async () => {
  const before = await count(a)
  const work = db.tenant(a, (tx) =>
    tx.finish([
      { text: insert, values: [30, 'x'] },
      { text: insert, values: [30, 'again'] },
      { text: insert, values: [31, 'x'] },
    ]),
  )
  expect(databaseError(await refusal(work))).toEqual({ code: '23505', constraint: 'notes_pkey' })
  expect(await count(a)).toBe(before)
})

test('a statement nobody awaits still decides whether the transaction commits', async () => {
  const before = await count(a)
  const failing = db.tenant(a, async (tx) => {
    await tx.query(insert, [40, 'x'])
    void tx.query(insert, [40, 'again'])
  })
  expect(databaseError(await refusal(failing))?.code).toBe('23505')
  const swallowing = db.tenant(a, (tx) => tx.query('select 1 / 0').catch(() => 'fine'))
  expect(databaseError(await refusal(swallowing))?.code).toBe('22012')
  expect(await count(a)).toBe(before)
  await db.tenant(a, async (tx) => void tx.query(insert, [41, 'kept']))
  expect(await count(a)).toBe(before + 1)
})

test('a value that cannot be written fails the transaction, even unawaited', async () => {
  const circular: Record<string, unknown> = {}
  circular.self = circular
  const before = await count(a)
  for (const finish of [false, true]) {
    const work = db.tenant(a, async (tx) => {
      void tx.query(insert, [50, 'x'])
      if (finish) return tx.finish([{ text: insert, values: [51, circular] }])
      void tx.query(insert, [51, circular])
      return []
    })
    expect(await refusal(work)).toBeInstanceOf(TypeError)
  }
  expect(await count(a)).toBe(before)
})

test('a statement sent after the end is refused: it would run in the next transaction', async () => {
  let late: (() => Promise<unknown>) | undefined
  await db.tenant(a, async (tx) => {
    late = () => tx.query('select 1')
  })
  await expect(late!()).rejects.toThrow('the transaction is over')
})

test('the cause of an aborted transaction is told, not its echo', async () => {
  const work = db.tenant(a, async (tx) => {
    void tx.query('select 1 / 0')
    await tx.query('select 1')
  })
  expect(databaseError(await refusal(work))?.code).toBe('22012')
})

test('reads cannot write, and their errors leave their neighbours alone', async () => {
  const reader = db.reader(a)
  const answers = await Promise.allSettled([
    reader.query('select 1 as n'),
    reader.query('select 1 / $1::int', [0]),
    reader.query('select nonsense'),
    reader.query(insert, [60, 'x']),
    reader.query('select $1::int as n', ['no number']),
    reader.query('select 2 as n'),
  ])
  expect(
    answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : databaseError(answer.reason)?.code)),
  ).toEqual([[{ n: 1 }], '22012', '42703', '25006', '22P02', [{ n: 2 }]])
  // A text whose first use failed to parse is not taken for prepared.
  await owner('create table public.later as select 5 as n; grant select on later to sq_app')
  const text = 'select n from later where n = $1'
  await owner('alter table later rename to soon')
  expect(databaseError(await refusal(reader.query(text, [5])))?.code).toBe('42P01')
  await owner('alter table soon rename to later')
  for (let i = 0; i < 4; i++) expect(await reader.query(text, [5])).toEqual([{ n: 5 }])
})

test('one() of nothing is the not-found error', async () => {
  await expect(db.reader(a).one('select 1 where false')).rejects.toMatchObject({ kind: 'not_found' })
  expect(await db.reader(a).maybe('select 1 where false')).toBeUndefined()
})

test('values are read as the wire shows them', async () => {
  const row = await db.reader(a)
    .one(`select 9007199254740991::bigint as big, '{1,null,3}'::bigint[] as bigs, 1.50::numeric as num,
    '2026-03-29 02:30:00.123456+02'::timestamptz as at, '2026-03-29'::date as day, '{2026-03-29}'::date[] as days,
    array['2026-03-29 00:00:00+00'::timestamptz] as times, '{"a":[1]}'::jsonb as doc, 'infinity'::timestamptz as never`)
  expect(row).toEqual({
    big: 9007199254740991,
    bigs: [1, null, 3],
    num: 1.5,
    at: '2026-03-29T00:30:00.123456Z',
    day: '2026-03-29',
    days: ['2026-03-29'],
    times: ['2026-03-29T00:00:00Z'],
    doc: { a: [1] },
    never: 'infinity',
  })
  const abroad = await db.tenant(a, async (tx) => {
    await tx.query(`set local timezone = 'Asia/Kolkata'`)
    return tx.one(`select '2026-03-29 00:30:00.5+00'::timestamptz as at`)
  })
  expect(abroad).toEqual({ at: '2026-03-29T00:30:00.5Z' })
})

test('an id that is none never reaches the server', async () => {
  for (const id of [0, -1, 1.5, Number.NaN, '1; reset role' as unknown as number])
    expect(() => db.reader(id)).toThrow(TypeError)
})

test('conflicts are tried again three times, other errors are not', async () => {
  let runs = 0
  const failing = (times: number, code: string) => () =>
    db.tenant(a, async (tx) => {
      if (runs++ < times) await tx.query(`do $$ begin raise exception 'again' using errcode = '${code}'; end $$`)
      return runs
    })
  expect(await failing(3, '40001')()).toBe(4)
  runs = 0
  expect(databaseError(await refusal(failing(9, '40P01')()))?.code).toBe('40P01')
  expect(runs).toBe(4)
  runs = 0
  await refusal(failing(9, '23514')())
  expect(runs).toBe(1)
})

test('a plan that a migration made stale is made again', async () => {
  await owner('create table wide (a int); insert into wide values (1); grant select on wide to sq_app')
  const read = () => db.reader(a).query('select * from wide')
  const write = () => db.tenant(a, (tx) => tx.query('select * from wide for share'))
  await owner('grant update on wide to sq_app')
  for (let i = 0; i < 3; i++) await Promise.all([read(), write()])
  await owner('alter table wide add column b int default 2')
  expect(await read()).toEqual([{ a: 1, b: 2 }])
  expect(await write()).toEqual([{ a: 1, b: 2 }])
})

test('whoever waits too long for a session is told that the database is busy', async () => {
  await opened({ url, pools: { requests: { transactions: 1 } }, acquireTimeoutMs: 100 }, async (small) => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const holding = small.tenant(a, () => gate)
    expect(await refusal(small.tenant(a, async () => {}))).toMatchObject({ kind: 'unavailable', code: 'database_busy' })
    // Other bulkheads are not touched.
    expect(await small.tenant(a, async () => 'calls', 'calls')).toBe('calls')
    open()
    await holding
    expect(await small.tenant(a, async () => 'free')).toBe('free')
  })
})

test('sessions are given first come, first served', async () => {
  await opened({ url, pools: { requests: { transactions: 1 } } }, async (small) => {
    const order: number[] = []
    await Promise.all(Array.from({ length: 20 }, (_, i) => small.tenant(a, async () => void order.push(i))))
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })
})

test('a statement that takes too long, or waits too long for a lock, is busy; the session serves on', async () => {
  await opened({ url, pools: { requests: { statementTimeoutMs: 100, transactions: 1, reads: 1 } } }, async (small) => {
    const busy = { kind: 'unavailable', code: 'database_busy', retryAfterSeconds: 1 }
    expect(await refusal(small.tenant(a, (tx) => tx.query('select pg_sleep(5)')))).toMatchObject(busy)
    expect(await refusal(small.reader(a).query('select pg_sleep(5)'))).toMatchObject(busy)
    expect(await small.tenant(a, (tx) => tx.query('select 1 as n'))).toEqual([{ n: 1 }])
    expect(await small.reader(a).query('select 1 as n')).toEqual([{ n: 1 }])
  })
})

const killAll = () =>
  owner(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name like 'smartqueue%'`)

test('terminated sessions are replaced; what was in flight and had no effect is carried out after all', async () => {
  let attempts = 0
  const open = db.tenant(a, async (tx) => {
    await tx.query(insert, [70, 'x'])
    if (attempts++ === 0) await killAll()
    await tx.query(insert, [71, 'x'])
  })
  const reads = Promise.all(Array.from({ length: 10 }, () => db.reader(a).query('select pg_sleep(0.05)')))
  await Promise.all([open, reads])
  expect(attempts).toBe(2)
  expect(await db.reader(a).query('select 1 from notes where id in (70, 71)')).toHaveLength(2)
})

test('a server that cannot be reached is unavailable, not a hanging request', async () => {
  const gone = new URL(url)
  gone.searchParams.set('host', '/nowhere')
  await expect(openDatabase({ url: gone.href })).rejects.toThrow('/nowhere')
})

test('a connection that falls silent is cut, and told as unavailable; later calls get a new one', async () => {
  const host = new URL(url).searchParams.get('host') ?? ''
  const sockets: Socket[] = []
  let frozen = false
  // Forwards to the server until it is frozen: then connections stay open and nothing passes.
  const proxy = createServer((inbound) => {
    const outbound = connect(join(host, '.s.PGSQL.5432'))
    sockets.push(inbound, outbound)
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      from.on('data', (data) => frozen || to.write(data))
      from.on('close', () => to.destroy())
      from.on('error', () => to.destroy())
    }
  })
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening))
  const { port } = proxy.address() as { port: number }
  const through = new URL(url)
  through.host = `127.0.0.1:${port}`
  through.searchParams.delete('host')
  try {
    await opened({ url: through.href, pools: { requests: { statementTimeoutMs: 50 } } }, async (far) => {
      await far.reader(a).query('select 1')
      frozen = true
      const error = await refusal(far.tenant(a, (tx) => tx.query('select 1')))
      expect(error).toBeInstanceOf(AppError)
      expect(error).toMatchObject({ kind: 'unavailable', code: 'database_unavailable' })
      frozen = false
      expect(await far.tenant(a, (tx) => tx.query('select 1 as n'))).toEqual([{ n: 1 }])
    })
  } finally {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  }
})

test('notifications arrive, also after the connection was lost', async () => {
  const heard: string[] = []
  const { promise: reconnected, resolve } = Promise.withResolvers<void>()
  const { notify: announce, stop } = await db.listen('a "channel"', (payload) => heard.push(payload), resolve)
  const notify = (payload: string) => db.tenant(a, (tx) => tx.query(`select pg_notify('a "channel"', $1)`, [payload]))
  await notify('one')
  while (heard.length < 1) await delay(5)
  await killAll()
  await reconnected
  await notify('two')
  while (heard.length < 2) await delay(5)
  await announce('three')
  while (heard.length < 3) await delay(5)
  await stop()
  await notify('four')
  await delay(50)
  expect(heard).toEqual(['one', 'two', 'three'])
})

test('statements beyond the bound are deallocated on the server, and the scope never is', async () => {
  await opened({ url, pools: { requests: { transactions: 1, reads: 1 } } }, async (small) => {
    const prepared = 'select count(*) as n from pg_prepared_statements'
    const reader = small.reader(a)
    for (let i = 0; i < 2100; i += 50)
      await Promise.all(Array.from({ length: 50 }, (_, j) => reader.query(`select ${i + j} as n`)))
    const { n } = await reader.one<{ n: number }>(prepared)
    expect(n).toBeGreaterThan(1000)
    expect(n).toBeLessThanOrEqual(2003)
    expect(await reader.query('select 0 as n')).toEqual([{ n: 0 }])
  })
})

test('a login that may not act as sq_app is refused when the database is opened', async () => {
  await owner('create role stranger login')
  const strange = new URL(directUrl)
  strange.username = 'stranger'
  await expect(openDatabase({ url: strange.href })).rejects.toThrow('permission denied to set role')
  await owner('drop role stranger')
})

test('analytics read from the replica where there is one, nothing else does, and the primary steps in', async () => {
  const replica = new URL(url)
  // The same database by another way, which can be told apart.
  replica.searchParams.set('options', '-c work_mem=5MB')
  const where = `select current_setting('work_mem') as at, current_user as who, (select count(*)::int from notes) as n`
  await opened({ url, replicaUrl: replica.href }, async (both) => {
    const own = { who: 'sq_app', n: await count(a) }
    expect(await both.reader(a, 'replica').one(where)).toEqual({ at: '5MB', ...own })
    for (const pool of ['calls', 'requests', 'reports'] as const)
      expect(await both.reader(a, pool).one(where)).not.toMatchObject({ at: '5MB' })
    // It is for reading.
    expect(databaseError(await refusal(both.reader(a, 'replica').query(insert, [77, 'x'])))?.code).toBe('25006')
  })
  // Nobody listens there.
  const away = new URL(url)
  away.hostname = '127.0.0.1'
  away.port = '9'
  away.searchParams.delete('host')
  await opened({ url, replicaUrl: away.href, acquireTimeoutMs: 300 }, async (alone) => {
    expect(await alone.reader(a, 'replica').one(where)).toMatchObject({ n: await count(a) })
    // Known to be away: not asked again at once.
    expect(await alone.reader(a, 'replica').one(where)).toMatchObject({ n: await count(a) })
  })
  await opened({ url }, async (none) => {
    expect(await none.reader(a, 'replica').one(where)).toMatchObject({ who: 'sq_app', n: await count(a) })
  })
})
