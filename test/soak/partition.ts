import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Direct } from '../../server/kernel/db/index.ts'
import { aTenant, type TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { Api } from '../faults/api.ts'
import { ServerProcess } from '../faults/processes.ts'
import { atLeast, atMost, none } from '../faults/table.ts'
import { Namespace, type Loss } from './namespace.ts'
import { Postgres } from './postgres.ts'
import { round, type Run } from './run.ts'
import { takers } from './takers.ts'
import { inWorld } from './world.ts'

/** A line between a server and its database that can be silent. */
interface Line {
  server: ServerProcess
  fixture: TenantFixture
  owner: Direct['query']
  /** The database over the same line, for whoever has no watchdog. */
  url: string
  /** Nothing passes for a while, and nobody is told. */
  silence(ms: number): Promise<void>
}
const WORDS: Record<Loss, string> = {
  both: 'nothing passes',
  there: 'statements are lost',
  back: 'answers are lost',
}
/** What a statement without a watchdog waits for at most here. */
const CONTROL_SECONDS = 200

/**
 * Between the API and its database packets are lost without a word: each way in turn, in network namespaces; where those are
 * not allowed, at a proxy. People must be answered that it is unavailable, and served again by itself.
 */
export async function partition(run: Run): Promise<void> {
  const why = Namespace.whyNot()
  if (why !== undefined) {
    run.say(`no network namespaces here (${why}): a proxy is silent instead`)
    return inWorld(run, async ({ server, fixture, database, line, settings }) =>
      measure(run, 'at a proxy', {
        server,
        fixture,
        owner: database.owner,
        url: settings['DATABASE_DIRECT_URL']!,
        silence: (ms) => line.blackhole(ms),
      }),
    )
  }
  const directory = mkdtempSync(join(tmpdir(), 'smartqueue-partition-'))
  chmodSync(directory, 0o755)
  const network = new Namespace()
  let postgres: Postgres | undefined
  let server: ServerProcess | undefined
  try {
    postgres = await Postgres.make(join(directory, 'postgres'), {
      address: network.theirs,
      through: network.through,
      access: `host all all ${network.ours}/32 trust\n`,
    })
    const fixture = await aTenant(postgres.query, { slug: 'partition', counters: 2, agents: 2 })
    await postgres.query('update queues set number_last = 9999999')
    const url = postgres.url('postgres')
    server = await ServerProcess.start(
      {
        DATABASE_URL: postgres.url('sq_login'),
        DATABASE_DIRECT_URL: url,
        SECRET_KEY: run.secretKey,
        DATA_DIR: join(directory, 'server'),
      },
      'api,realtime',
    )
    for (const loss of ['both', 'there', 'back'] as const) {
      if (run.signal.aborted) break
      await measure(run, WORDS[loss], {
        server,
        fixture,
        owner: postgres.query,
        url,
        async silence(ms) {
          network.lose(loss)
          await sleep(ms, undefined, { signal: run.signal }).catch(() => {})
          network.heal()
        },
      })
    }
  } finally {
    await server?.stop()
    await postgres?.stop()
    network.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(run: Run, name: string, line: Line): Promise<void> {
  const seconds = run.amount('seconds', 8, 30)
  const { server, fixture, owner } = line
  const gaveUp = server.unexpectedEnds
  const visitors = takers([server.port], fixture, 4, 20)
  await sleep(2000)
  const people = asking(server, fixture)
  const naive = await waiting(line.url)
  await sleep(500)
  people.probes.length = 0
  run.say(`${name} for ${seconds} s`)
  const control = naive()
  await line.silence(seconds * 1000)
  const during = [...people.probes]
  const healedAt = performance.now()
  const [healed] = await owner<{ at: string }>('select clock_timestamp() as at')
  await sleep(8000)
  await people.stop()
  await visitors.stop()
  const back = visitors.takes.find(({ at }) => at > healedAt)
  const kept = new Set((await owner<{ id: number }>('select id from tickets')).map(({ id }) => id))
  const [held] = await owner<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity
     where application_name = 'smartqueue' and state like 'idle in transaction%' and xact_start < $1`,
    [healed!.at],
  )
  // Whoever was under way when it began, and who asked while the last old lines were given up.
  const refused = people.probes.filter(({ status }) => status === 503)
  run.note({
    [`${name}: requests answered meanwhile`]: atLeast(seconds, during.length),
    [`${name}: … with 503`]: atLeast(seconds, refused.length),
    [`${name}: … 503 without Retry-After`]: none(refused.filter(({ retryAfter }) => retryAfter === undefined).length),
    [`${name}: … otherwise than by 2xx or 503`]: none(
      people.probes.filter(({ status }) => status !== 503 && (status < 200 || status >= 300)).length,
    ),
    [`${name}: ms that somebody waited at most`]: atMost(
      3000,
      Math.max(...people.probes.map(({ ms }) => round(ms, 0))),
    ),
    [`${name}: ms until a ticket was taken again`]: atMost(5000, back ? round(back.at - healedAt, 0) : Infinity),
    [`${name}: acknowledged and lost`]: none(visitors.takes.filter(({ id }) => !kept.has(id)).length),
    [`${name}: connections left in a transaction`]: none(held!.n),
    [`${name}: servers that gave up`]: none(server.unexpectedEnds - gaveUp),
    [`${name}: control: ms that a statement without a watchdog waited`]: atLeast(
      Math.min(seconds * 1000, 3001),
      round(await control, 0),
    ),
  })
}

/** How long an answer took, and what it was, while something was wrong. */
interface Probe {
  status: number
  retryAfter: string | undefined
  ms: number
}

/** Somebody asks every 100 ms and waits for no answer before asking again. */
function asking(server: ServerProcess, fixture: TenantFixture) {
  const api = new Api(server.port, fixture.tenant.slug)
  const admin = tokenOf(fixture.admin, 3600)
  const kiosk = tokenOf(fixture.kiosk, 3600)
  const queue = fixture.queues[0]!.id
  const probes: Probe[] = []
  const open = new Set<Promise<void>>()
  let turn = 0
  const timer = setInterval(() => {
    const since = performance.now()
    const sent =
      turn++ % 2
        ? api.get('/tickets/?limit=5', admin)
        : api.post('/tickets/', kiosk, { queue_id: queue, channel: 'kiosk' })
    const noted = sent
      .then(
        ({ status, retryAfter }) => void probes.push({ status, retryAfter, ms: performance.now() - since }),
        () => void probes.push({ status: 0, retryAfter: undefined, ms: performance.now() - since }),
      )
      .finally(() => open.delete(noted))
    open.add(noted)
  }, 100)
  return {
    probes,
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      api.close()
    },
  }
}

/** The control: a connection as libraries open it. Answers, once called, how long its next statement took. */
async function waiting(url: string): Promise<() => Promise<number>> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return async () => {
    await sleep(200)
    const since = performance.now()
    await Promise.race([client.query('select 1').catch(() => {}), sleep(CONTROL_SECONDS * 1000)])
    const waited = performance.now() - since
    await Promise.race([client.end().catch(() => {}), sleep(1000)])
    return waited
  }
}
