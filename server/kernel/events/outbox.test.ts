import { setTimeout as sleep } from 'node:timers/promises'
import Type from 'typebox'
import { expect, test } from 'vitest'
import { PATIENT, testDatabase } from '../../test/harness.ts'
import { systemActor } from '../access.ts'
import { openDatabase } from '../db/index.ts'
import { conflict } from '../errors.ts'
import { Runtime } from '../execute.ts'
import { operation, type Tenant } from '../operation.ts'
import { Closed, Id } from '../schema.ts'
import { appendStatement } from './log.ts'
import { Hub, openStream, type StreamEvent } from './index.ts'

const WRITERS = 16
const EACH = 60
const SITE = 7

const { db, owner, url, directUrl } = await testDatabase()
const tenant = await makeTenant()
await owner('create table poller_control (id bigint generated always as identity primary key, note text)')

async function makeTenant(): Promise<Tenant> {
  const [row] = await owner(`insert into tenants (slug, name) values ('outbox', 'Outbox') returning id`)
  const id = Number(row!['id'])
  await db.tenant(id, (tx) => openStream(tx, id, SITE))
  return {
    id,
    slug: 'outbox',
    name: 'Outbox',
    locale: 'en',
    timezone: 'UTC',
    is_active: true,
    take_challenge: 'automatic',
  }
}

/** Writes one event, dawdles, and sometimes changes its mind: what a busy counter does to an outbox. */
const scribble = operation({
  id: 'test.scribble',
  kind: 'mutation',
  summary: 'Emit one event or roll back',
  scope: null,
  roles: ['system'],
  http: { method: 'POST', path: '/test/' },
  input: Closed({ n: Id }),
  output: Closed({ n: Type.Integer() }),
  example: { input: { n: 1 } },
  async run(ctx, { n }) {
    ctx.emit({ type: 'test.scribbled', site_id: SITE, data: { n } })
    await ctx.tx.query('select pg_sleep($1)', [Math.random() * 0.003])
    if (n % 5 === 0) throw conflict('in_use')
    return { n }
  },
})

test('sixteen writers with rollbacks: another process hears every committed event once, in order, without a gap', async () => {
  const hub = new Hub(db)
  await hub.start()
  const listenerDb = await openDatabase({ url, directUrl, ...PATIENT })
  const listenerHub = new Hub(listenerDb)
  await listenerHub.start()
  const heard: StreamEvent[] = []
  const tail = await listenerHub.tail(tenant.id, SITE)
  tail.listeners.add((events) => heard.push(...events))
  const runtime = new Runtime({ db, hub, url: (path) => path, renderError: () => '{}' })

  const committed = new Set<number>()
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let i = 1; i <= EACH; i++) {
        const n = writer * EACH + i
        const request = { actor: systemActor(tenant.id), tenant, locale: 'en' as const, input: { n } }
        await runtime.execute(scribble, request).then(
          () => committed.add(n),
          (error: { code: string }) => expect(error.code).toBe('in_use'),
        )
      }
    }),
  )
  while (heard.length < committed.size) await sleep(10)
  await sleep(50)

  expect(heard.map((event) => event.offset)).toEqual(Array.from({ length: committed.size }, (_, i) => i + 1))
  expect(new Set(heard.map((event) => event.data['n']))).toEqual(committed)
  const [{ last_offset } = {}] = await owner(`select last_offset::int from streams where site_id = ${SITE}`)
  expect(last_offset).toBe(committed.size)
  await Promise.all([hub.stop(), listenerHub.stop()])
  await listenerDb.close()
})

test('an event of a stream that nobody opened opens it, and no stream can be deleted under its events', async () => {
  const append = appendStatement([{ type: 'test.done', site_id: 4711, data: {}, actor: 'system' }])!
  await db.tenant(tenant.id, (tx) => tx.finish([append]))
  const orphans = () =>
    owner(
      'select 1 from events e where not exists (select from streams s where (s.tenant_id, s.site_id) = (e.tenant_id, e.site_id))',
    )
  expect(await orphans()).toEqual([])
  await expect(
    db.tenant(tenant.id, (tx) => tx.query('delete from streams where site_id = 4711')),
  ).rejects.toMatchObject({
    code: '42501',
  })
  // Control: an event past that statement is found.
  await db.tenant(tenant.id, (tx) =>
    tx.query(`insert into events (site_id, "offset", type, actor, data) values (4712, 1, 'test.done', 'system', '{}')`),
  )
  expect(await orphans()).toHaveLength(1)
})

test('control: a poller that remembers the last id of an identity column loses events', async () => {
  await owner('grant all on poller_control to sq_app')
  const seen = new Set<number>()
  let last = 0
  let writing = true
  const poll = async () => {
    const rows = await db.platform((tx) =>
      tx.query<{ id: number }>('select id from poller_control where id > $1 order by id', [last]),
    )
    for (const { id } of rows) {
      seen.add(id)
      last = id
    }
  }
  const polling = (async () => {
    while (writing) await poll()
    await poll()
  })()
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      for (let i = 0; i < EACH; i++) {
        await db.tenant(tenant.id, async (tx) => {
          await tx.query(`insert into poller_control (note) values ('x')`)
          await tx.query('select pg_sleep($1)', [Math.random() * 0.01])
        })
      }
    }),
  )
  writing = false
  await polling
  expect(seen.size).toBeLessThan(WRITERS * EACH)
})
