/**
 * `npm run bench:shared [-- --seconds 10]`: what Redis as a second level saves three API processes behind a balancer that
 * gives each request to the next one. Beside it the same load without Redis. docs/caching.md says what came out.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startCpu } from './measure/cpu.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { equally, fillQueues, queueIds, seed, type World } from './world.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } })
const SECONDS = Number(values.seconds)
const PROCESSES = 3
const CONSOLES = 60
const TENANTS = 40
const QUEUES = 15
const TICK_MICROSECONDS = 10_000
const PORT = 21_300
const MANNERS = { 'x-forwarded-proto': 'https' }

const cpuOf = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number)
  return (fields[11]! + fields[12]!) * TICK_MICROSECONDS
}

/** Consoles of people who are signed in, by their cookies, and tenants that somebody looks at. */
async function people({ direct }: Cluster, { tenantId, userId }: World) {
  const cookies: string[] = []
  for (let n = 0; n < CONSOLES; n++) {
    const secret = randomBytes(32).toString('base64url')
    cookies.push(`session=${secret}`)
    await direct.query(
      `insert into sessions (user_id, tenant_id, scopes, kind, secret_hash, method, expires_at, ends_at)
       values ($1, $2, array['read:queue', 'read:ticket', 'write:ticket'], 'console', $3, 'password', now() + interval '1 day', now() + interval '1 day')`,
      [userId, tenantId, createHash('sha256').update(secret).digest()],
    )
  }
  for (let n = 0; n < TENANTS; n++)
    await direct.query(
      `with t as (insert into tenants (slug, name, timezone) values ('town-' || $1, 'Town', 'Europe/Paris') returning id),
       s as (insert into sites (tenant_id, name, slug, timezone) select id, 'Site', 'site', 'Europe/Paris' from t returning tenant_id, id)
       insert into streams (tenant_id, site_id) select tenant_id, id from s union all select tenant_id, 0 from s`,
      [String(n)],
    )
  return cookies
}

async function start(
  cluster: Cluster,
  port: number,
  redisUrl: string | undefined,
  secretKey: string,
): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['server/main.ts', 'serve', '--roles', 'api'], {
    env: {
      DATABASE_URL: cluster.url,
      DATABASE_DIRECT_URL: cluster.directUrl,
      SECRET_KEY: secretKey,
      HOST: '127.0.0.1',
      PORT: String(port),
      METRICS_PORT: String(port + 100),
      RATE_LIMIT_FACTOR: '1000000',
      LOG_LEVEL: 'error',
      ...(redisUrl && { REDIS_URL: redisUrl }),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  for (let tries = 0; tries < 300; tries++) {
    if (
      await fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return child
    await delay(100)
  }
  throw new Error('a process did not start')
}

const transactions = async ({ direct }: Cluster) => {
  await delay(1500)
  const [row] = await direct.query<{ n: number }>(
    `select (xact_commit + xact_rollback)::float8 as n from pg_stat_database where datname = current_database()`,
  )
  return row!.n
}

/** Everybody asks at a steady pace, each time another process. */
async function load(world: World, cookies: readonly string[]) {
  const ids = queueIds(world).slice(0, QUEUES)
  let turn = 0
  const counts = { console: 0, site: 0, take: 0 }
  const refused: Record<string, number> = {}
  const ask = async (kind: 'console' | 'site' | 'take', path: string, init: RequestInit = {}) => {
    const answer = await fetch(`http://127.0.0.1:${PORT + (turn++ % PROCESSES)}${path}`, init).catch(() => undefined)
    const text = await answer?.text()
    if (answer?.ok) return void counts[kind]++
    const why = `${kind} ${answer?.status ?? 'no answer'} ${/"code":"(\w+)"/.exec(text ?? '')?.[1] ?? ''}`.trim()
    refused[why] = (refused[why] ?? 0) + 1
  }
  const until = performance.now() + SECONDS * 1000
  const every = async (ms: number, work: () => Promise<void>) => {
    await delay(Math.random() * ms)
    while (performance.now() < until) {
      const next = performance.now() + ms
      await work()
      await delay(Math.max(0, next - performance.now()))
    }
  }
  await Promise.all([
    ...cookies.map((cookie, n) => {
      const path = `/api/v1/tickets/?queue=${ids[n % QUEUES]}&status=en_attente&ordering=rank&limit=50`
      return every(500, () => ask('console', path, { headers: { cookie, ...MANNERS } }))
    }),
    ...Array.from({ length: TENANTS }, (_, n) => every(400, () => ask('site', `/api/v1/public/town-${n}/sites/site/`))),
    every(100, () =>
      ask('take', `/api/v1/public/${world.slug}/tickets/`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ queue_id: ids[turn % QUEUES], channel: 'web' }),
      }),
    ),
  ])
  return { counts, refused }
}

async function lookups(): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (let n = 0; n < PROCESSES; n++) {
    const text = await (await fetch(`http://127.0.0.1:${PORT + n + 100}/metrics`)).text()
    for (const [, what, outcome, count] of text.matchAll(
      /^shared_cache_lookups_total\{what="([\w-]+)",outcome="(\w+)"\} (\d+)/gm,
    ))
      sums[`${what} ${outcome}`] = (sums[`${what} ${outcome}`] ?? 0) + Number(count)
  }
  return sums
}

const cluster = await startCluster()
const redisPort = PORT + 200
const redis = spawn(
  'redis-server',
  ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', cluster.directory],
  { stdio: 'ignore' },
)
try {
  const world = await seed(cluster.direct, 10)
  const cookies = await people(cluster, world)
  await fillQueues(cluster.direct, world, equally(queueIds(world).slice(0, QUEUES), 200))
  await cluster.direct.query(`update tenants set take_challenge = 'never'`)
  for (const variant of ['without', 'with', 'without', 'with']) {
    const secretKey = randomBytes(48).toString('base64')
    const url = variant === 'with' ? `redis://127.0.0.1:${redisPort}` : undefined
    const nodes = await Promise.all(
      Array.from({ length: PROCESSES }, (_, n) => start(cluster, PORT + n, url, secretKey)),
    )
    try {
      await load(world, cookies)
      const [from, known] = [await transactions(cluster), await lookups()]
      const idle = await transactions(cluster)
      const cpu = startCpu(cluster.postmaster)
      const sumOf = () => nodes.reduce((sum, { pid }) => sum + cpuOf(pid!), 0)
      const [nodesFrom, redisFrom] = [sumOf(), cpuOf(redis.pid!)]
      const { counts, refused } = await load(world, cookies)
      const { postgres } = cpu()
      const [server, shared] = [sumOf() - nodesFrom, cpuOf(redis.pid!) - redisFrom]
      const done = await transactions(cluster)
      const found = Object.entries(await lookups()).map(
        ([name, n]) => `${name} ${Math.round((n - (known[name] ?? 0)) / SECONDS)}/s`,
      )
      const requests = counts.console + counts.site + counts.take
      console.log(
        `${variant} Redis: ${requests} requests, refused ${JSON.stringify(refused)}; transactions ${Math.round((done - idle - (idle - from)) / SECONDS)}/s; ` +
          `CPU a request: PostgreSQL ${Math.round(postgres / requests)} µs, Node ${Math.round(server / requests)} µs, Redis ${Math.round(shared / requests)} µs\n  ${found.join(', ')}`,
      )
    } finally {
      for (const node of nodes) node.kill('SIGKILL')
      await Promise.all(nodes.map((node) => once(node, 'exit')))
    }
  }
} finally {
  redis.kill('SIGKILL')
  await cluster.close()
}
