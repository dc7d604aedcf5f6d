import { setTimeout as sleep } from 'node:timers/promises'
import { aTenant, type TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { randomizer } from '../random.ts'
import { Api, type Answer } from './api.ts'
import { countHoles, judgeBooks, newBooks, readBooks, type BooksVerdict } from './books.ts'
import type { FaultDatabase } from './database.ts'
import { diagnosis } from './diagnosis.ts'
import { PersistentClient, type RequestCounts } from './persistent.ts'
import type { ServerProcess } from './processes.ts'
import { FaultProxy } from './proxy.ts'

export interface KillOptions {
  database: FaultDatabase
  servers: readonly ServerProcess[]
  /** Tickets taken, called and completed. */
  calls: number
  /** People at once; the more there are, the more of them meet in one transaction. */
  agents?: number
  takers?: number
  serverKills: number
  crashes: number
  /** Times that half of the database's backends are ended. */
  terminations: number
  seed: number
  /** Ends the run early. */
  signal: AbortSignal
  maxSeconds: number
  progress?(line: string): void
  /** Between two lines on how far it is; 1 000 by default. */
  progressMs?: number
}

export interface KillReport extends BooksVerdict, RequestCounts {
  calls: number
  serverKills: number
  crashes: number
  backends: number
  holes: number
  /** Answers 4xx to requests that nothing speaks against. */
  refused: number
  /** Servers that ended by themselves. */
  unexpectedEnds: number
  /** Of some jobs added when all is over, those that nobody does. */
  jobsLeft: number
  /** Control: tickets beyond those they were told of, by takers who ask again without a key. */
  naiveDouble: number
  seconds: number
}

const TAKERS = 12
const AGENTS = 24
const NAIVE_TAKERS = 4
const NAIVE_REST_MS = 60
/** A run in which nothing was called for so long is over: whoever lost a request has given it up by then. */
const STALLED_SECONDS = 100
/** New requests of each of the people between two cuts of half the connections to one of the servers. */
const REQUESTS_PER_CUT = 3

/** Everybody wants the same queue while servers, backends and PostgreSQL itself are killed; then the books are compared. */
export async function kill(options: KillOptions): Promise<KillReport> {
  const { database, servers, calls, seed, maxSeconds, agents = AGENTS, takers = TAKERS } = options
  const random = randomizer(seed)
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  const fixture = await aContestedQueue(database, `kill-${seed}`, agents)
  const [queue, naiveQueue] = fixture.queues

  const proxies = await Promise.all(servers.map(({ port }) => FaultProxy.open(port)))
  const apis = proxies.map(({ port }) => new Api(port, fixture.tenant.slug))
  const client = new PersistentClient(apis, random)
  const told = newBooks()
  let refused = 0
  let isOver = false
  let calledAt = performance.now()
  const hasTime = () => !isOver && !options.signal.aborted && seconds() < maxSeconds

  const refuse = ({ status, body }: Answer, what: string) => {
    if (refused++ < 3) options.progress?.(`${what} is refused: ${status} ${body}`)
  }

  const kiosk = tokenOf(fixture.kiosk, 3600)
  let wanted = calls
  async function takeAll() {
    while (hasTime() && wanted > 0) {
      wanted--
      const answer = await client.post('/tickets/', kiosk, { queue_id: queue!.id, channel: 'kiosk' })
      if (answer?.status === 201) {
        told.taken.push((JSON.parse(answer.body) as { id: number }).id)
        continue
      }
      // The agents wait for as many as they are to call.
      wanted++
      if (answer) refuse(answer, 'a ticket')
      await sleep(50)
    }
  }
  async function serveAll(n: number) {
    const { id: agent } = fixture.agents[n]!
    const token = tokenOf(fixture.agentActors[n]!, 3600)
    while (hasTime() && told.called.length < calls) {
      const answer = await client.post(`/agents/${agent}/call-next/`, token)
      if (!answer) continue
      if (answer.status !== 200) {
        refuse(answer, 'a call')
        await sleep(50)
        continue
      }
      const { ticket } = JSON.parse(answer.body) as { ticket: { id: number } | null }
      if (!ticket) {
        await sleep(20)
        continue
      }
      told.called.push({ agent, ticket: ticket.id })
      calledAt = performance.now()
      const done = await client.post(`/tickets/${ticket.id}/complete/`, token)
      if (done?.status === 200) told.completed.push(ticket.id)
      else if (done) refuse(done, 'an end of service')
    }
  }
  const naive = newBooks()
  async function takeNaively() {
    while (!isOver) {
      const answer = await client.attempt('/tickets/', kiosk, { queue_id: naiveQueue!.id, channel: 'kiosk' })
      if (answer?.status === 201) naive.taken.push((JSON.parse(answer.body) as { id: number }).id)
      await sleep(NAIVE_REST_MS)
    }
  }

  const weather = cutNowAndThen(
    proxies,
    random,
    (agents + takers) * REQUESTS_PER_CUT,
    () => client.counts.requests,
    () => isOver,
  )
  const naives = Promise.all(Array.from({ length: NAIVE_TAKERS }, takeNaively))
  const harm = killInTurn(
    options,
    random,
    // On a machine too slow for all of the work the kills come all the same.
    () => Math.max(told.called.length / calls, seconds() / maxSeconds),
    () => isOver,
  )
  harm.catch(() => (isOver = true))
  const reports = setInterval(() => {
    const { unanswered, unavailable, wasDone } = client.counts
    options.progress?.(
      `${told.called.length} calls, ${unanswered} unanswered (${wasDone} were done), ${unavailable} refused with 503, ${seconds().toFixed(0)} s`,
    )
    if (isOver || performance.now() - calledAt < STALLED_SECONDS * 1000) return
    isOver = true
    void diagnosis(database, servers).then((lines) =>
      options.progress?.(`nothing was called for ${STALLED_SECONDS} s\n${lines.join('\n')}`),
    )
  }, options.progressMs ?? 1000)
  try {
    await Promise.all([
      ...Array.from({ length: takers }, takeAll),
      ...Array.from({ length: agents }, (_, n) => serveAll(n)),
    ])
    isOver = true
    const [done] = await Promise.all([harm, naives, weather])
    // What a server has in flight without its client ends before the books are read.
    await sleep(500)
    const { owner } = database
    return {
      calls: told.called.length,
      ...done,
      ...client.counts,
      ...judgeBooks(told, await readBooks(owner, queue!.id)),
      holes: await countHoles(owner, queue!.site_id, queue!.id),
      refused,
      jobsLeft: await jobsLeft(database, options.progress),
      unexpectedEnds: servers.reduce((total, server) => total + server.unexpectedEnds, 0),
      naiveDouble: judgeBooks(naive, await readBooks(owner, naiveQueue!.id)).double,
      seconds: seconds(),
    }
  } finally {
    isOver = true
    if (client.firstFailure)
      options.progress?.(`${client.firstFailure}\n${servers.map(({ output }) => output).join('')}`)
    clearInterval(reports)
    await weather
    for (const proxy of proxies) proxy.close()
    for (const api of apis) api.close()
  }
}

/** One queue for all agents, whose calls begin the service, and one for the control. Numbers do not begin again. */
async function aContestedQueue({ owner }: FaultDatabase, slug: string, agents: number): Promise<TenantFixture> {
  const fixture = await aTenant(owner, { slug, queues: 2, counters: agents, agents })
  await owner(
    'update queues set confirm_arrival = false, one_ticket_per_device = false, number_last = 9999999 where tenant_id = $1',
    [fixture.tenant.id],
  )
  await owner('delete from agent_queues where queue_id = $1', [fixture.queues[1]!.id])
  return fixture
}

/** Loses answers under way at a pace that follows the work, or a slow machine would never get an answer through. */
async function cutNowAndThen(
  proxies: readonly FaultProxy[],
  random: () => number,
  every: number,
  requests: () => number,
  isOver: () => boolean,
): Promise<void> {
  for (let next = every; !isOver(); await sleep(10)) {
    if (requests() < next) continue
    const proxy = proxies[Math.floor(random() * proxies.length)]!
    if (random() < 0.5) proxy.resetHalf(random)
    else proxy.cutHalf(random)
    next = requests() + every
  }
}

/** Of the work, behind which no kill comes: a server that starts again takes its time. */
const LAST_KILL = 0.85

/** Spreads the kills over the work, so that each falls in the middle of it. */
async function killInTurn(
  { database, servers, ...options }: KillOptions,
  random: () => number,
  doneShare: () => number,
  isOver: () => boolean,
): Promise<Pick<KillReport, 'serverKills' | 'crashes' | 'backends'>> {
  const count = { serverKills: 0, crashes: 0, backends: 0 }
  const acts = [
    ...Array.from({ length: options.serverKills }, (_, i) => async () => {
      const server = servers[i % servers.length]!
      await server.kill()
      count.serverKills++
      await server.start()
    }),
    ...Array.from({ length: options.crashes }, () => async () => {
      await database.crash()
      count.crashes++
    }),
    ...Array.from({ length: options.terminations }, () => async () => {
      // Half of none is none: just after a crash there may be no session yet.
      for (let tries = 0, ended = 0; ended === 0 && tries < 200; tries++) {
        ended = (
          await database.owner(
            `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'smartqueue%'
               and pid <> pg_backend_pid() and random() < 0.5`,
          )
        ).length
        count.backends += ended
        if (ended === 0) await sleep(20)
      }
    }),
  ]
    .map((act) => ({ act, place: random() }))
    .toSorted((a, b) => a.place - b.place)
  for (const [i, { act }] of acts.entries()) {
    while (!isOver() && doneShare() < (LAST_KILL * (i + 0.5)) / acts.length) await sleep(10)
    if (isOver()) break
    await act()
  }
  return count
}

const JOBS = 20
const JOBS_WITHIN_MS = 20_000

/**
 * Whether background work goes on: of some jobs added now, those that nobody does. Others, which a kill broke off, are tried again
 * later, as they should be, and are not counted.
 */
async function jobsLeft({ owner }: FaultDatabase, progress: KillOptions['progress']): Promise<number> {
  const added = await owner<{ id: string }>(
    `select (graphile_worker.add_job('tickets.sweep_timers', '{}'::json)).id::text as id from generate_series(1, ${JOBS})`,
  )
  const ids = added.map(({ id }) => id)
  const leftOf = () =>
    owner<{ id: string; attempts: number; locked_by: string | null; run_at: string; last_error: string | null }>(
      'select id::text as id, attempts, locked_by, run_at, last_error from graphile_worker.jobs where id = any($1::bigint[])',
      [ids],
    )
  let left = await leftOf()
  for (let waited = 0; left.length > 0 && waited < JOBS_WITHIN_MS; waited += 100) {
    await sleep(100)
    left = await leftOf()
  }
  for (const job of left.slice(0, 3)) progress?.(`not done: ${JSON.stringify(job)}`)
  return left.length
}
