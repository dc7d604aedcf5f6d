import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { baseBackup, connectDirect, recover, renewEpochs, type Direct } from '../../server/kernel/db/index.ts'
import { aTenant, type TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { Api } from '../faults/api.ts'
import { ServerProcess } from '../faults/processes.ts'
import { follow } from '../faults/followers.ts'
import { Postgres } from './postgres.ts'
import { atLeast, atMost, none } from '../faults/table.ts'
import { told, type Run } from './run.ts'
import { takers } from './takers.ts'

/** How long a primary must be silent before it is taken for dead; what a supervisor such as Patroni does in production. */
const DEAD_AFTER_MS = 500
const STALL_MS = 400

/**
 * A primary with a synchronous standby, servers that know both, takers; the primary is killed and the standby promoted.
 * Nothing that was acknowledged may be missing, the old primary must not be used when it comes back, and a follower whose
 * offsets stopped being comparable begins anew. Control: an asynchronous standby, and an old primary that nobody fences.
 */
export async function standby(run: Run): Promise<void> {
  const rounds = run.isQuick ? 1 : 3
  let lost = 0
  let acknowledged = 0
  let lostAsync = 0
  const gaps: number[] = []
  const promotions: number[] = []
  let wrongHoles = 0
  let oldUsed = 0
  let oldWouldTake = 0
  let replicaReads = 0
  let resyncs = 0
  let frames = 0
  for (let i = 0; i < rounds && !run.signal.aborted; i++) {
    const report = await failover(run, true)
    acknowledged += report.acknowledged
    lost += report.lost
    wrongHoles += report.holes
    gaps.push(report.gapMs)
    promotions.push(report.promotionMs)
    oldUsed += report.oldUsed
    oldWouldTake += report.oldWouldTake
    replicaReads += report.replicaReads
    resyncs += report.resyncs
    frames += report.frames
  }
  for (let i = 0; i < 4 && lostAsync === 0 && !run.signal.aborted; i++) lostAsync = (await failover(run, false)).lost
  run.note({
    'primaries killed and standbys promoted': atLeast(rounds, gaps.length),
    'tickets acknowledged': atLeast(200 * rounds, acknowledged),
    '… lost': none(lost),
    'holes in offsets or numbers': none(wrongHoles),
    'ms from the promotion to the next ticket, slowest': atMost(2000, Math.max(...gaps)),
    'ms that the promotion took, slowest': told(Math.max(...promotions)),
    'reads of analytics answered by the standby before': atLeast(rounds, replicaReads),
    'tickets on the old primary, back and not fenced': none(oldUsed),
    'control: it takes the writes of whoever asks it first': atLeast(rounds, oldWouldTake),
    'frames that a follower heard on': atLeast(rounds, frames),
    'followers told to begin anew after --new-epoch': atLeast(rounds, resyncs),
    'control: lost with an asynchronous standby': atLeast(1, lostAsync),
  })
}

interface Failover {
  acknowledged: number
  lost: number
  holes: number
  gapMs: number
  promotionMs: number
  oldUsed: number
  oldWouldTake: number
  replicaReads: number
  resyncs: number
  frames: number
}

async function failover(run: Run, isSynchronous: boolean): Promise<Failover> {
  const directory = mkdtempSync(join(tmpdir(), 'smartqueue-standby-'))
  chmodSync(directory, 0o755)
  const pair = await Pair.make(directory, isSynchronous)
  const servers: ServerProcess[] = []
  try {
    const fixture = await aTenant(pair.query(0), { slug: 'ha', queues: 1, counters: 2, agents: 2 })
    await pair.query(0)('update queues set number_last = 9999999')
    const settings = {
      DATABASE_URL: pair.url('sq_login'),
      DATABASE_DIRECT_URL: pair.url('postgres'),
      DATABASE_REPLICA_URL: pair.urlOf(1, 'sq_login'),
      SECRET_KEY: run.secretKey,
      DATA_DIR: join(directory, 'server'),
    }
    for (let i = 0; i < 2; i++) servers.push(await ServerProcess.start(settings, 'api,realtime'))
    const follower = follow({
      url: () =>
        `ws://127.0.0.1:${servers[0]!.port}/ws/tenants/${fixture.tenant.slug}/queues/${fixture.queues[0]!.id}/`,
      token: tokenOf(fixture.supervisor, 3600),
    })
    const heardOf = (type: string) => follower.heard.frames.filter((frame) => frame.type === type).length
    const visitors = takers(
      servers.map(({ port }) => port),
      fixture,
      isSynchronous ? 8 : 24,
    )
    await sleep(1500)
    const replicaReads = await readAnalytics(servers[0]!, fixture, pair)
    await sleep(1500)
    const heardBefore = heardOf('ticket.created')
    const [receiver] = await pair.query(1)<{ pid: number }>('select pid from pg_stat_wal_receiver')
    // The line to the standby is slow for a moment, as any is now and then, and then the primary is gone with all that is under way.
    pair.signal(1, 'SIGSTOP')
    await sleep(STALL_MS)
    pair.kill(0)
    const killedAt = performance.now()
    process.kill(receiver!.pid, 'SIGTERM')
    pair.signal(1, 'SIGCONT')
    if (isSynchronous) await sleep(DEAD_AFTER_MS)
    const promotedFrom = performance.now()
    await pair.promote()
    const promotedAt = performance.now()
    await sleep(3000)
    const next = visitors.takes.find(({ at }) => at > promotedAt)
    await visitors.stop()
    const acknowledged = visitors.takes.filter(({ at }) => at <= killedAt + DEAD_AFTER_MS)
    const kept = new Set((await pair.query(1)<{ id: number }>('select id from tickets')).map(({ id }) => id))
    const lost = visitors.takes.filter(({ id }) => !kept.has(id)).length
    run.say(
      `${isSynchronous ? 'synchronous' : 'asynchronous'}: ${acknowledged.length} acknowledged, ${lost} lost, promoted in ${Math.round(promotedAt - promotedFrom)} ms, next ticket after ${next ? Math.round(next.at - promotedAt) : '?'} ms`,
    )
    const report: Failover = {
      acknowledged: acknowledged.length,
      lost,
      holes: 0,
      gapMs: next ? Math.round(next.at - promotedAt) : Infinity,
      promotionMs: Math.round(promotedAt - promotedFrom),
      oldUsed: 0,
      oldWouldTake: 0,
      replicaReads,
      resyncs: 0,
      frames: 0,
    }
    if (isSynchronous) {
      const [site, queue] = [fixture.sites[0]!.id, fixture.queues[0]!.id]
      const [row] = await pair.query(1)<{ holes: number }>(
        `select ((select last_offset from streams where site_id = $1) - (select count(*) from events where site_id = $1)
           + (select max(serial) from tickets where queue_id = $2) - (select count(*) from tickets where queue_id = $2))::int as holes`,
        [site, queue],
      )
      report.holes = row!.holes
      report.frames = heardOf('ticket.created') - heardBefore
      // It comes back as it was, and nobody told it: a program that knows of the later timeline must not use it.
      await pair.start(0)
      const before = await countOf(pair, 0)
      await pair.query(1)(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'smartqueue'`,
      )
      servers.push(await ServerProcess.start(settings, 'api,realtime'))
      const again = takers(
        servers.map(({ port }) => port),
        fixture,
        4,
        20,
      )
      await sleep(2500)
      await again.stop()
      const isAlive = again.takes.length > 0
      report.oldUsed = (await countOf(pair, 0)) - before + (isAlive ? 0 : 1)
      const naive = await ServerProcess.start(
        {
          ...settings,
          DATABASE_URL: pair.urlOf(0, 'sq_login'),
          DATABASE_DIRECT_URL: pair.urlOf(0, 'postgres'),
          DATABASE_REPLICA_URL: '',
        },
        'api,realtime',
      )
      servers.push(naive)
      const misled = takers([naive.port], fixture, 1, 20)
      await unhang(pair)
      await sleep(1000)
      await misled.stop()
      report.oldWouldTake = misled.takes.length
      const heard = heardOf('resync')
      await withDirect(pair.urlOf(1, 'postgres'), ({ query }) => renewEpochs(query))
      for (let waited = 0; waited < 5000 && heardOf('resync') === heard; waited += 50) await sleep(50)
      report.resyncs = heardOf('resync') - heard
    }
    follower.close()
    return report
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    pair.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** An old primary waits for a standby that follows another one now; whoever does not fence it, does not wait either. */
async function unhang(pair: Pair): Promise<void> {
  await pair.query(0)(`alter system set synchronous_standby_names = ''`)
  await pair.query(0)('select pg_reload_conf()')
}

const countOf = async (pair: Pair, index: 0 | 1): Promise<number> =>
  (await pair.query(index)<{ count: number }>('select count(*)::int as count from tickets'))[0]!.count

async function readAnalytics(server: ServerProcess, fixture: TenantFixture, pair: Pair): Promise<number> {
  const reads = async () =>
    (
      await pair.query(1)<{ count: number }>(
        `select count(*)::int as count from pg_stat_activity where application_name = 'smartqueue' and usename = 'sq_login'`,
      )
    )[0]!.count
  const api = new Api(server.port, fixture.tenant.slug)
  const { status, body } = await api.get('/analytics/overview/', tokenOf(fixture.admin, 3600))
  api.close()
  if (status !== 200) throw new Error(`analytics: ${status} ${body}`)
  return reads()
}

async function withDirect<T>(url: string, use: (direct: Direct) => Promise<T>): Promise<T> {
  const direct = await connectDirect(url)
  try {
    return await use(direct)
  } finally {
    await direct.close()
  }
}

/** A primary, and a standby that streams from it. */
class Pair {
  #servers: [Postgres, Postgres]

  private constructor(servers: [Postgres, Postgres]) {
    this.#servers = servers
  }

  static async make(directory: string, isSynchronous: boolean): Promise<Pair> {
    const primary = await Postgres.make(join(directory, 'primary'))
    const standby = await Postgres.at(join(directory, 'standby'))
    const pair = new Pair([primary, standby])
    try {
      await baseBackup(primary.url('postgres'), join(directory, 'base'), 'standby')
      await recover({ base: join(directory, 'base'), dataDirectory: join(standby.home, 'data') })
      rmSync(join(standby.home, 'data/recovery.signal'))
      standby.write('data/standby.signal', '')
      standby.write(
        'data/postgresql.auto.conf',
        `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=postgres application_name=standby'\n`,
      )
      await standby.start()
      await pair.#replicates(`state = 'streaming'`)
      if (isSynchronous) {
        await primary.query(`alter system set synchronous_standby_names = 'standby'`)
        await primary.reload()
        await pair.#replicates(`sync_state = 'sync'`)
      }
      return pair
    } catch (error) {
      pair.end()
      throw error
    }
  }

  async #replicates(condition: string): Promise<void> {
    const count = `select count(*)::int as n from pg_stat_replication where ${condition}`
    while ((await this.query(0)<{ n: number }>(count))[0]!.n === 0) await sleep(50)
  }

  url(user: string): string {
    const ports = this.#servers.map(({ port }) => port).join(',')
    return `postgresql://${user}@localhost/smartqueue?host=127.0.0.1,127.0.0.1&port=${ports}&target_session_attrs=read-write`
  }
  urlOf(index: 0 | 1, user: string): string {
    return this.#servers[index].url(user)
  }
  query(index: 0 | 1): Direct['query'] {
    return this.#servers[index].query
  }
  start(index: 0 | 1): Promise<void> {
    return this.#servers[index].start()
  }
  /** kill -9 of the server and all its processes: what is not on the other machine is gone. */
  kill(index: 0 | 1): void {
    this.#servers[index].kill()
  }
  /** To the server and all its processes. */
  signal(index: 0 | 1, name: NodeJS.Signals): void {
    this.#servers[index].signal(name)
  }

  /** Resolves when the standby takes writes. */
  async promote(): Promise<void> {
    await this.query(1)('select pg_promote(true, 30)')
  }

  end(): void {
    this.kill(0)
    this.kill(1)
  }
}
