/**
 * `npm run test:faults [-- --only reconnect,kill,embedded,nodes,redis,half-open,storm,notifications,webhooks,jobs] [--quick] [--seed <n>]`: real servers on a real database under
 * bad networks and kill -9. Prints figures against their goals; exit code 1 when one is not met. Everything it starts
 * ends with it, however it ends.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { useSigningKeys } from '../../server/modules/authentication/index.ts'
import { aTenant } from '../../server/test/factories.ts'
import { startRedis } from '../../server/test/redis.ts'
import { boundedRun } from './bounded.ts'
import { readThenSave, withoutSynchronousCommit } from './controls.ts'
import { checkDurable, startDatabase, type FaultDatabase } from './database.ts'
import { embedded } from './embedded.ts'
import { jobs } from './jobs.ts'
import { kill } from './kill.ts'
import { ServerProcess } from './processes.ts'
import { nodes } from './nodes.ts'
import { notifications } from './notifications.ts'
import { reconnect } from './reconnect.ts'
import { reconnectStorm, stalledConsumers } from './storm.ts'
import { atLeast, atMost, none } from './table.ts'
import { webhooks } from './webhooks.ts'
import { beforeDatabase, redisParts, wakeups, type WakeupsReport } from './wakeups.ts'

/** On a machine with nothing else to do a third of it is enough. */
const MAX_SECONDS = 1800
const { values: options } = parseArgs({
  options: {
    only: {
      type: 'string',
      default: 'reconnect,kill,embedded,nodes,redis,half-open,storm,notifications,webhooks,jobs',
    },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
})
const only = options.only.split(',')
const seed = Number(options.seed)
const isQuick = options.quick
const share = isQuick ? 0.1 : 1
const { signal, say, note, finish } = boundedRun(MAX_SECONDS)

async function reconnects(database: FaultDatabase, servers: readonly ServerProcess[], name: string) {
  const { owner } = database
  const fixture = await aTenant(owner, { slug: `reconnect-${servers.length}`, queues: 2, counters: 4, agents: 4 })
  const goals = { events: 2000 * share, reconnects: 1000 * share }
  const report = await reconnect({
    owner,
    fixture,
    ports: servers.map(({ port }) => port),
    clients: 25,
    naiveClients: 5,
    ...goals,
    maxSeconds: 75,
    seed,
    signal,
    progress: (line) => say(`${name}: ${line}`),
    ...(servers.length > 1 && { meanwhile: (isOver) => loseNodes(database, servers.at(-1)!, isOver) }),
  })
  note(name, {
    events: atLeast(goals.events, report.events),
    reconnects: atLeast(goals.reconnects, report.clients.reconnects),
    'deliveries lost': none(report.clients.lost),
    repeated: none(report.clients.repeated),
    'out of order': none(report.clients.disordered),
    'gaps without a resync': none(report.clients.gaps),
    resyncs: none(report.clients.resyncs),
    'boards that differ': none(report.wrongBoards),
    'deliveries due': atLeast(1, report.clients.due),
    'control: lost by naive push': atLeast(1, report.naive.lost),
  })
}

/** A node that no publisher needs dies and comes back, and LISTEN connections of all nodes are ended. */
async function loseNodes({ owner }: FaultDatabase, node: ServerProcess, isOver: () => boolean) {
  while (!isOver()) {
    await sleep(2000)
    await owner(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'smartqueue listen'`)
    await sleep(1000)
    await node.kill()
    await node.start()
  }
}

async function kills(database: FaultDatabase, servers: readonly ServerProcess[]) {
  const name = 'kill'
  const calls = 5000 * share
  const times = {
    serverKills: options.quick ? 2 : 10,
    crashes: options.quick ? 1 : 3,
    terminations: options.quick ? 1 : 4,
  }
  await checkDurable(database.owner)
  const report = await kill({
    database,
    servers,
    calls,
    ...times,
    seed,
    signal,
    maxSeconds: 150,
    progress: (line) => say(`${name}: ${line}`),
  })
  note(name, {
    'tickets called': atLeast(calls, report.calls),
    'servers killed': atLeast(times.serverKills, report.serverKills),
    'PostgreSQL stopped at once': atLeast(times.crashes, report.crashes),
    'backends ended': atLeast(1, report.backends),
    'done twice': none(report.double),
    'acknowledged and lost': none(report.lost),
    'two agents, one ticket': none(report.shared),
    'holes in offsets or numbers': none(report.holes),
    'unanswered attempts': atLeast(1, report.unanswered),
    '… that had been done': atLeast(1, report.wasDone),
    '… that had not': atLeast(0, report.wasNotDone),
    '… never resolved': none(report.unresolved),
    'replays with other bytes': none(report.differing),
    'refused without reason': none(report.refused),
    'answers 500': none(report.internal),
    'servers that gave up': none(report.unexpectedEnds),
    'jobs nobody does': none(report.jobsLeft),
    'control: done twice without a key': atLeast(1, report.naiveDouble),
    'control: shared by read-then-save': atLeast(1, (await readThenSave(database)).shared),
    'control: lost without synchronous_commit': atLeast(1, await withoutSynchronousCommit(database, servers)),
  })
}

async function losingNodes({ owner }: FaultDatabase, servers: readonly ServerProcess[]) {
  const name = 'nodes'
  const times = options.quick ? 2 : 6
  const report = await nodes({
    owner,
    servers,
    slug: 'nodes',
    followers: 25,
    kills: times,
    stops: times,
    restMs: 1500,
    signal,
    progress: (line) => say(`${name}: ${line}`),
  })
  const { killed, stopped, followers } = report
  note(name, {
    'requests while nodes were killed': atLeast(100, killed.requests),
    '… failed, also when repeated': none(killed.failedTwice),
    'control: … failed at first': atLeast(1, killed.failed),
    'requests while nodes were stopped': atLeast(100, stopped.requests),
    '… failed at all': none(stopped.failed),
    'done twice': none(report.double),
    'followers told to come back (1012)': atLeast(1, stopped.closes[1012] ?? 0),
    '… at different moments': atLeast(2, report.hints),
    '… cut without a word': none(stopped.closes[1006] ?? 0),
    'deliveries due': atLeast(1, followers.due),
    'deliveries lost': none(followers.lost),
    repeated: none(followers.repeated),
    'out of order': none(followers.disordered),
    'gaps without a resync': none(followers.gaps),
  })
}

function noteWakeups(name: string, { parts, followers }: WakeupsReport, mostMs: (part: string) => number) {
  note(name, {
    'deliveries due': atLeast(1, followers.due),
    'deliveries lost': none(followers.lost),
    'repeated, out of order or gaps': none(followers.repeated + followers.disordered + followers.gaps),
  })
  for (const part of parts)
    note(name, { [`ms from commit to another node, p99, ${part.name}`]: atMost(mostMs(part.name), part.p99Ms) })
}

/** A database that counts its statements; a server of its own, so that its memory is this run's alone. */
async function storms(database: FaultDatabase, settings: Record<string, string>) {
  const { owner } = database
  await owner(`alter system set shared_preload_libraries = 'pg_stat_statements'`)
  await database.crash()
  await owner('create extension if not exists pg_stat_statements')
  const fixture = await aTenant(owner, { slug: 'storm', queues: 2 })
  await owner('update queues set number_last = 1000000 where tenant_id = $1', [fixture.tenant.id])
  const server = await ServerProcess.start(settings, 'api,realtime')
  const round = (value: number, digits = 0) => Number(value.toFixed(digits))
  const options = { owner, fixture, server, signal, progress: (line: string) => say(`storm: ${line}`) }
  try {
    const sockets = isQuick ? 500 : 2000
    const storm = await reconnectStorm({ ...options, sockets })
    note('storm', {
      'sockets back': atLeast(sockets, storm.back),
      'seconds until all were back': atMost(15, round(storm.seconds, 1)),
      'gaps without a resync': none(storm.holes),
      'statements for each, beside the one that sets the tenant': atMost(2, round(storm.statementsEach, 2)),
      'API requests meanwhile': atLeast(1, storm.apiRequests),
      '… failed': none(storm.apiFailed),
      'API p99 in ms before': atLeast(0, round(storm.apiBeforeP99Ms, 1)),
      '… meanwhile': atLeast(0, round(storm.apiP99Ms, 1)),
      'memory (RSS) in MiB before': atLeast(0, round(storm.residentBefore)),
      '… at most meanwhile': atLeast(0, round(storm.residentPeak)),
    })
    const stalled = 200
    const report = await stalledConsumers({ ...options, sockets: stalled })
    note('stalled', {
      'sockets that never read, cut': atLeast(stalled, report.cut),
      'KiB of memory (RSS) for each at most': atMost(1024, round(report.residentKiBEach)),
      'events until then': atLeast(1, report.published),
      'lost by one who reads': none(report.healthyLost),
    })
  } finally {
    await server.stop()
  }
}

async function losingRedis(database: FaultDatabase, settings: Record<string, string>) {
  const redis = await startRedis()
  if (!redis) return
  const servers: ServerProcess[] = []
  try {
    for (let i = 0; i < 3; i++)
      servers.push(await ServerProcess.start({ ...settings, REDIS_URL: redis.url }, 'api,realtime'))
    const report = await wakeups({
      database,
      slug: 'redis',
      publisher: servers[0]!,
      others: servers.slice(1),
      parts: redisParts(redis),
      partMs: options.quick ? 2000 : 8000,
      controlRedis: redis.url,
      signal,
      progress: (line) => say(`redis: ${line}`),
    })
    noteWakeups('redis', report, (part) => (part === 'with Redis' ? 500 : 1500))
    note('redis', { 'control: not heard in time by Redis alone': atLeast(1, report.controlLost) })
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    await redis.close()
  }
}

/** The LISTEN connections of all nodes but one become half-open. */
async function hollowListen(database: FaultDatabase, settings: Record<string, string>) {
  const { proxy, url } = await beforeDatabase(database)
  const listeners = async (since: string) =>
    (
      await database.owner<{ count: number }>(
        `select count(*)::int as count from pg_stat_activity
         where application_name = 'smartqueue listen' and backend_start > $1`,
        [since],
      )
    )[0]!.count
  const servers: ServerProcess[] = []
  let hollow = 0
  let repairedMs = Infinity
  try {
    servers.push(await ServerProcess.start(settings, 'api,realtime'))
    for (let i = 0; i < 2; i++)
      servers.push(await ServerProcess.start({ ...settings, DATABASE_DIRECT_URL: url }, 'api,realtime'))
    const [clock] = await database.owner<{ now: string }>('select clock_timestamp()::text as now')
    async function breakThem() {
      hollow = proxy.hollow()
      const from = performance.now()
      void (async () => {
        while (repairedMs === Infinity && !signal.aborted && performance.now() - from < 30_000) {
          await sleep(50)
          if ((await listeners(clock!.now)) >= hollow) repairedMs = Math.round(performance.now() - from)
        }
      })().catch(() => {})
    }
    const report = await wakeups({
      database,
      slug: 'half-open',
      publisher: servers[0]!,
      others: servers.slice(1),
      parts: [{ name: 'all well' }, { name: 'LISTEN half-open', begin: breakThem }, { name: 'LISTEN replaced' }],
      partMs: 10_000,
      signal,
      progress: (line) => say(`half-open: ${line}`),
    })
    noteWakeups('half-open', report, (part) => (part === 'LISTEN half-open' ? 2000 : 500))
    note('half-open', {
      'LISTEN connections made half-open': atLeast(2, hollow),
      'ms until all were replaced': atMost(15_000, repairedMs),
    })
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    proxy.close()
  }
}

async function sendersKilled({ owner }: FaultDatabase, settings: Record<string, string>) {
  const name = 'notifications'
  const messages = options.quick ? 100 : 500
  const kills = options.quick ? 1 : 5
  const report = await notifications({
    owner,
    settings,
    messages,
    workers: 2,
    kills,
    isStopped: true,
    isLeaseMoved: false,
    signal,
    maxSeconds: 150,
    progress: (line) => say(`${name}: ${line}`),
  })
  note(name, {
    'workers killed': atLeast(kills, report.kills),
    'messages sent': atLeast(messages, report.sent),
    lost: none(report.lost),
    'heard twice': none(report.double),
    's from the last kill until all was sent': atMost(90, report.drainedSeconds),
    'control: doubled by whoever sends again without asking': atLeast(1, report.unanswered),
  })
}

async function webhookSendersKilled({ owner }: FaultDatabase, settings: Record<string, string>) {
  const name = 'webhooks'
  const events = options.quick ? 120 : 1200
  const kills = options.quick ? 1 : 5
  const report = await webhooks({
    owner,
    settings,
    events,
    kills,
    signal,
    maxSeconds: 90,
    progress: (line) => say(`${name}: ${line}`),
  })
  note(name, {
    'workers killed': atLeast(kills, report.kills),
    'events heard': atLeast(events, report.heard),
    lost: none(report.lost),
    'heard again, under the same id': atMost(report.onTheirWay, report.again),
    's from the last kill until all were told': atMost(60, report.drainedSeconds),
    'control: on their way at a kill': atLeast(1, report.onTheirWay),
    'ms from an event to a receiver beside a silent one, median': atMost(600, report.besideSilence.medianMs),
    'ms, slowest': atMost(5000, report.besideSilence.slowestMs),
    'control: attempts that the silent one still holds': atLeast(1, report.besideSilence.stillSilent),
  })
}

async function workersKilled({ owner, url, directUrl }: FaultDatabase) {
  const name = 'jobs'
  const count = options.quick ? 150 : 500
  const kills = options.quick ? 2 : 5
  const report = await jobs({
    owner,
    url,
    directUrl,
    jobs: count,
    workers: 3,
    kills,
    signal,
    maxSeconds: 90,
    progress: (line) => say(`${name}: ${line}`),
  })
  note(name, {
    'workers killed': atLeast(kills, report.kills),
    'jobs done': atLeast(count, report.done),
    lost: none(report.lost),
    'effects twice': none(report.double),
    'jobs locked when a worker was stopped for longer than its lease': atLeast(1, report.zombieHeld),
    's from the last kill until all was done': atMost(30, report.drainedSeconds),
    'control: effects twice without settling': atLeast(1, report.naiveDouble),
  })
}

async function embeddedKills(secretKey: string) {
  const name = 'embedded'
  const count = options.quick ? 2 : 6
  const report = await embedded({ secretKey, kills: count, seed, signal, progress: (line) => say(`${name}: ${line}`) })
  note(name, {
    'servers killed': atLeast(count, report.kills),
    'tickets taken': atLeast(20 * count, report.taken),
    'done twice': none(report.double),
    'acknowledged and lost': none(report.lost),
    'holes in offsets or numbers': none(report.holes),
    'never resolved': none(report.unresolved),
    'answers 500': none(report.internal),
    'processes left after the last kill': none(report.processesLeft),
    'control: processes seen before': atLeast(2, report.processesServing),
  })
}

async function run() {
  const secretKey = randomBytes(48).toString('base64url')
  useSigningKeys(secretKey)
  if (only.includes('embedded')) await embeddedKills(secretKey)
  if (signal.aborted || only.every((name) => name === 'embedded')) return
  say('starting PostgreSQL and servers')
  const database = await startDatabase()
  const servers: ServerProcess[] = []
  const settings = {
    DATABASE_URL: database.url,
    DATABASE_DIRECT_URL: database.directUrl,
    SECRET_KEY: secretKey,
    DATA_DIR: database.directory,
  }
  try {
    if (only.includes('reconnect')) {
      // Without jobs, which would change the boards while they are compared.
      for (let i = 0; i < 3; i++) servers.push(await ServerProcess.start(settings, 'api,realtime'))
      await reconnects(database, servers.slice(0, 1), 'reconnect, 1 node')
      await reconnects(database, servers, 'reconnect, 3 nodes')
      await Promise.all(servers.splice(0).map((server) => server.stop()))
    }
    if (only.includes('nodes') && !signal.aborted) {
      for (let i = 0; i < 3; i++)
        servers.push(await ServerProcess.start({ ...settings, STOP_NOTICE_MS: '1000' }, 'api,realtime'))
      await losingNodes(database, servers)
      await Promise.all(servers.splice(0).map((server) => server.stop()))
    }
    if (only.includes('redis') && !signal.aborted) await losingRedis(database, settings)
    if (only.includes('half-open') && !signal.aborted) await hollowListen(database, settings)
    if (only.includes('storm') && !signal.aborted) await storms(database, settings)
    if (only.includes('notifications') && !signal.aborted) await sendersKilled(database, settings)
    if (only.includes('webhooks') && !signal.aborted) await webhookSendersKilled(database, settings)
    if (only.includes('jobs') && !signal.aborted) await workersKilled(database)
    if (only.includes('kill') && !signal.aborted) {
      for (let i = 0; i < 2; i++) servers.push(await ServerProcess.start(settings))
      await kills(database, servers)
    }
  } catch (error) {
    for (const server of servers) console.error(server.output)
    throw error
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    await database.close()
  }
}

await finish(run)
