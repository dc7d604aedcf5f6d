import Type from 'typebox'
import { beforeEach, describe, expect, test } from 'vitest'
import { PATIENT, testDatabase } from '../test/harness.ts'
import { systemActor, type Actor } from './access.ts'
import { openDatabase, type Database } from './db/index.ts'
import { AppError, conflict } from './errors.ts'
import { Hub, openStream } from './events/index.ts'
import { Runtime } from './execute.ts'
import { batchOperation, operation, type Operation, type Outcome, type Tenant } from './operation.ts'
import { Closed, Nullable, Text } from './schema.ts'

const SITE = 1
/** An advisory lock that a test holds to keep work from ending. */
const GATE = 4711
const { db, owner, url, directUrl } = await testDatabase()
const hub = new Hub(db)
const runtime = newRuntime()
const tenant = await makeTenant('here')
const elsewhere = await makeTenant('elsewhere')
await owner('create table effects (id bigint generated always as identity primary key, label text unique)')
await owner('grant all on effects to sq_app')
beforeEach(() => owner('truncate effects'))

function newRuntime(database = db): Runtime {
  const renderError = (error: AppError) => JSON.stringify({ code: error.code })
  return new Runtime({ db: database, hub, url: (path) => path, renderError })
}
async function makeTenant(slug: string): Promise<Tenant> {
  const [row] = await owner('insert into tenants (slug, name) values ($1, $1) returning id', [slug])
  const id = Number(row!['id'])
  await db.tenant(id, (tx) => openStream(tx, id, SITE))
  return { id, slug, name: slug, locale: 'en', timezone: 'UTC', is_active: true, take_challenge: 'automatic' }
}

const input = Closed({ label: Text(50), fail: Type.Optional(Nullable(Text(20))) })
const output = Closed({ label: Type.String() })
const shape = {
  kind: 'mutation' as const,
  summary: 'Leave a mark',
  scope: null,
  roles: ['system', 'admin'] as const,
  input,
  output,
  example: { input: { label: 'a' } },
  constraints: { effects_label_key: () => conflict('name_taken') },
}
const mark = operation({
  ...shape,
  id: 'test.mark',
  http: { method: 'POST', path: '/marks/', status: 201 },
  async run(ctx, { label, fail }) {
    ctx.emit({ type: 'test.marked', site_id: SITE, data: { label } })
    await ctx.tx.query('insert into effects (label) values ($1)', [label])
    if (fail === 'refuse') throw conflict('in_use')
    if (fail === 'break') throw new Error('boom')
    if (fail === 'wait') await ctx.tx.query('select pg_advisory_xact_lock($1)', [GATE])
    return { label, secret: 'never leaves' }
  },
})
const batchSizes: number[] = []
const markMany = batchOperation({
  ...shape,
  id: 'test.markMany',
  http: { method: 'POST', path: '/many/', status: 201 },
  async runMany(ctx, calls) {
    batchSizes.push(calls.length)
    await ctx.tx.query('insert into effects (label) select unnest($1::text[])', [calls.map((call) => call.input.label)])
    return calls.map(({ input: { label, fail }, actor }) => {
      if (fail === 'refuse') return conflict('in_use')
      ctx.emit({ type: 'test.marked', site_id: SITE, data: { label }, actor: actor.principal })
      return { label }
    })
  },
})

type Extra = { key?: string; actor?: Actor; in?: Tenant; on?: Runtime }
function execute(op: Operation, body: Record<string, unknown>, extra: Extra = {}): Promise<Outcome> {
  const at = extra.in ?? tenant
  const actor = extra.actor ?? systemActor(at.id)
  return (extra.on ?? runtime).execute(op, { actor, tenant: at, locale: 'en', input: body, key: extra.key })
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: AppError) => error.code,
  )
const effects = async () => (await owner('select label from effects order by id')).map((row) => row['label'])
const eventCount = async () => Number((await owner('select count(*) as n from events'))[0]!['n'])

describe('one path for every capability', () => {
  test('an output keeps only what it declares', async () => {
    const { body, status } = await execute(mark, { label: 'plain' })
    expect([status, JSON.parse(body)]).toEqual([201, { label: 'plain' }])
  })
  test('roles that are not listed, foreign tenants and unknown properties are refused before anything runs', async () => {
    const before = await eventCount()
    expect(await codeOf(execute(mark, { label: 'x' }, { actor: { ...systemActor(tenant.id), role: 'agent' } }))).toBe(
      'forbidden',
    )
    expect(await codeOf(execute(mark, { label: 'x' }, { actor: systemActor(elsewhere.id) }))).toBe('not_found')
    const refused = await execute(mark, { label: 'x', extra: 1 }).catch((error: AppError) => error)
    expect(refused).toMatchObject({ code: 'invalid_input', fields: [{ path: '/extra', code: 'unknown' }] })
    expect([await effects(), await eventCount()]).toEqual([[], before])
  })
  test('a failure leaves neither effect nor event; a declared constraint has its own code', async () => {
    const before = await eventCount()
    expect(await codeOf(execute(mark, { label: 'a', fail: 'refuse' }))).toBe('in_use')
    expect(await codeOf(execute(mark, { label: 'a', fail: 'break' }))).toBe('internal')
    expect([await effects(), await eventCount()]).toEqual([[], before])
    await execute(mark, { label: 'a' })
    expect(await codeOf(execute(mark, { label: 'a' }))).toBe('name_taken')
  })
})

describe('group commit', () => {
  test('callers that arrive together share a transaction and keep their own results', async () => {
    batchSizes.length = 0
    const labels = Array.from({ length: 100 }, (_, i) => `together ${i}`)
    const outcomes = await Promise.all(labels.map((label) => execute(markMany, { label })))
    expect(outcomes.map(({ output: own }) => own)).toEqual(labels.map((label) => ({ label })))
    expect(batchSizes.length).toBeLessThan(10)
    // Two transactions may be on their way at once; each keeps the order of its callers.
    const done = (await effects()).map((label) => labels.indexOf(String(label)))
    expect(done.toSorted((a, b) => a - b)).toEqual(labels.map((_, i) => i))
    expect(done.filter((n, i) => i > 0 && n < done[i - 1]!).length).toBeLessThan(batchSizes.length)
  })
  test('a refused member does not disturb its mates', async () => {
    const outcomes = await Promise.all(
      ['a', 'b', 'c'].map((label) => codeOf(execute(markMany, { label, fail: label === 'b' ? 'refuse' : null }))),
    )
    expect(outcomes).toEqual(['ok', 'in_use', 'ok'])
  })
  test('a member that breaks the transaction fails alone: the others run again one by one', async () => {
    await execute(markMany, { label: 'taken' })
    const before = await eventCount()
    const outcomes = await Promise.all(['x', 'taken', 'y'].map((label) => codeOf(execute(markMany, { label }))))
    expect(outcomes).toEqual(['ok', 'name_taken', 'ok'])
    expect([await effects(), await eventCount()]).toEqual([['taken', 'x', 'y'], before + 2])
  })
  test('a batch whose commit was not answered is not run again: it may have been done', async () => {
    let commits = 0
    const unanswered: Database = {
      reader: (id, pool) => db.reader(id, pool),
      platform: (fn) => db.platform(fn),
      listen: (...args) => db.listen(...args),
      close: () => db.close(),
      async tenant(id, fn, pool) {
        await db.tenant(id, fn, pool)
        commits++
        throw new AppError('unavailable', 'database_unavailable')
      },
    }
    const on = newRuntime(unanswered)
    const outcomes = await Promise.all(['x', 'y', 'z'].map((label) => codeOf(execute(markMany, { label }, { on }))))
    expect(outcomes).toEqual(Array(3).fill('database_unavailable'))
    expect([commits, await effects()]).toEqual([1, ['x', 'y', 'z']])
  })
  test('tenants are never mixed in a batch', async () => {
    const streams = async () =>
      (await owner('select tenant_id, count(*)::int as n from events group by 1 order by 1')).map((row) => row['n'])
    const [mine, theirs] = [(await streams())[0] ?? 0, (await streams())[1] ?? 0]
    await Promise.all(
      [tenant, elsewhere, tenant, elsewhere].map((at, i) => execute(markMany, { label: `t${i}` }, { in: at })),
    )
    expect(await streams()).toEqual([Number(mine) + 2, Number(theirs) + 2])
  })
})

describe.each([{ op: mark as Operation }, { op: markMany as Operation }])('Idempotency-Key of $op.id', ({ op }) => {
  test('a repetition answers the same bytes and does nothing', async () => {
    const first = await execute(op, { label: 'once' }, { key: `k1 ${op.id}` })
    const again = await execute(op, { label: 'once' }, { key: `k1 ${op.id}` })
    expect([again.body, again.status, again.replayed, first.replayed]).toEqual([first.body, first.status, true, false])
    expect(again.output).toEqual({ label: 'once' })
    expect(await effects()).toEqual(['once'])
  })
  test('another payload under the same key is refused', async () => {
    await execute(op, { label: 'one' }, { key: `k2 ${op.id}` })
    expect(await codeOf(execute(op, { label: 'two' }, { key: `k2 ${op.id}` }))).toBe('idempotency_mismatch')
  })
  test('a refusal is remembered, even when it would succeed now', async () => {
    expect(await codeOf(execute(op, { label: 'r', fail: 'refuse' }, { key: `k3 ${op.id}` }))).toBe('in_use')
    const replay = await execute(op, { label: 'r', fail: 'refuse' }, { key: `k3 ${op.id}` })
    expect([replay.status, replay.replayed, JSON.parse(replay.body)]).toEqual([409, true, { code: 'in_use' }])
  })
  test('the same key of another principal or tenant is another key', async () => {
    const key = `k4 ${op.id}`
    await execute(op, { label: 'mine' }, { key })
    const other = await execute(
      op,
      { label: 'other' },
      { key, actor: { ...systemActor(tenant.id), principal: 'user:2' } },
    )
    const foreign = await execute(op, { label: 'foreign' }, { key, in: elsewhere })
    expect([other.replayed, foreign.replayed]).toEqual([false, false])
  })
  test('two hundred keys, twenty duplicates each over two processes: two hundred effects', async () => {
    const secondDb = await openDatabase({ url, directUrl, ...PATIENT })
    const runtimes = [runtime, newRuntime(secondDb)]
    const bodies = new Map<string, Set<string>>()
    const labels = Array.from({ length: 200 }, (_, i) => `n${i}`)
    const codes = new Set<string>()
    const attempt = async (label: string, i: number) => {
      const key = `${label} ${op.id}`
      const outcome = await execute(op, { label }, { key, on: runtimes[i % 2]! }).catch((error: AppError) => error)
      if (outcome instanceof AppError) codes.add(outcome.code)
      else bodies.set(key, (bodies.get(key) ?? new Set()).add(outcome.body))
    }
    // In waves of ten keys: a pool that refuses when it is overrun is another test's subject.
    for (let from = 0; from < labels.length; from += 10) {
      const wave = labels.slice(from, from + 10)
      await Promise.all(Array.from({ length: 20 }, (_, i) => wave.map((label) => attempt(label, i))).flat())
    }
    await secondDb.close()
    expect((await effects()).length).toBe(200)
    expect([...bodies.values()].every((own) => own.size === 1)).toBe(true)
    expect([...codes].filter((code) => code !== 'idempotency_in_flight')).toEqual([])
  })
})

test('a key whose work is still running is refused, not awaited', async () => {
  const secondDb = await openDatabase({ url, directUrl, ...PATIENT })
  const [held, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const gate = db.tenant(tenant.id, async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [GATE])
    held.resolve()
    await over.promise
  })
  await held.promise
  const first = execute(mark, { label: 's', fail: 'wait' }, { key: 'busy' })
  await expect
    .poll(() => owner(`select from pg_locks where locktype = 'advisory' and objid = $1 and not granted`, [GATE]))
    .toHaveLength(1)
  expect(await codeOf(execute(mark, { label: 's', fail: 'wait' }, { key: 'busy', on: newRuntime(secondDb) }))).toBe(
    'idempotency_in_flight',
  )
  over.resolve()
  await gate
  expect((await first).replayed).toBe(false)
  await secondDb.close()
})

test('a failure of ours is not remembered: the key may try again', async () => {
  expect(await codeOf(execute(mark, { label: 'f', fail: 'break' }, { key: 'again' }))).toBe('internal')
  expect(await codeOf(execute(mark, { label: 'f', fail: 'break' }, { key: 'again' }))).toBe('internal')
  expect(await effects()).toEqual([])
})

test('an event of a site whose stream nobody opened is not left behind', async () => {
  const fresh = await makeTenant('streamless')
  await owner('delete from streams where tenant_id = $1', [fresh.id])
  await execute(mark, { label: 'first' }, { in: fresh })
  const [event] = await owner('select "offset"::int as "offset" from events where tenant_id = $1', [fresh.id])
  expect(event).toEqual({ offset: 1 })
})

test('text that cannot be stored is refused, in values and in names', async () => {
  for (const body of [{ label: '\ud800' }, { label: 'a\0' }, { label: 'x', 'na\0me': 1 }]) {
    expect(await codeOf(execute(mark, body))).toBe('invalid_input')
  }
})

test('strangers share a principal, so their keys must not be guessable', async () => {
  const stranger: Actor = { ...systemActor(tenant.id), role: 'anonymous', principal: 'anonymous' }
  const open: Operation = { ...mark, roles: ['anonymous'] }
  expect(await codeOf(execute(open, { label: 's' }, { actor: stranger, key: '1' }))).toBe('idempotency_key_invalid')
  expect(await codeOf(execute(open, { label: 's' }, { actor: stranger, key: crypto.randomUUID() }))).toBe('ok')
})
