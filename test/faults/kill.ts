import { setTimeout as sleep } from 'node:timers/promises'
import { aTenant, type TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { randomizer } from '../random.ts'
import { Api } from './api.ts'
import { countHoles, judgeBooks, newBooks, readBooks, type BooksVerdict } from './books.ts'
import type { FaultDatabase } from './database.ts'
import { PersistentClient, type RequestCounts } from './persistent.ts'
import type { ServerProcess } from './processes.ts'
import { FaultProxy } from './proxy.ts'

export interface KillOptions {
  database: FaultDatabase
  servers: readonly ServerProcess[]
  /** Tickets taken, called and completed. */
  calls: number
  serverKills: number
  crashes: number
  /** Times that half of the database's backends are ended. */
  terminations: number
  seed: number
  /** Ends the run early. */
  signal: AbortSignal
  maxSeconds: number
  progress?(line: string): void
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
/** New requests between two cuts of half the connections to one of the servers. */
const REQUESTS_PER_CUT = 100

/** Everybody wants the same queue while servers, backends and PostgreSQL itself are killed; then the books are compared. */
export async function kill(options: KillOptions): Promise<KillReport> {
  const { database, servers, calls, seed, maxSeconds } = options
  const random = randomizer(seed)
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  const fixture = await aContestedQueue(database, `kill-${seed}`)
  const [queue, naiveQueue] = fixture.queues

  const proxies = await Promise.all(servers.map(({ port }) => FaultProxy.open(port)))
  const apis = proxies.map(({ port }) => new Api(port, fixture.tenant.slug))
  const client = new PersistentClient(apis, random)
  const told = newBooks()
  let refused = 0
  let isOver = false
  const hasTime = () => !isOver && !options.signal.aborted && seconds() < maxSeconds

  const kiosk = tokenOf(fixture.kiosk, 3600)
  let wanted = calls
  async function takeAll() {
    while (hasTime() && wanted-- > 0) {
      const answer = await client.post('/tickets/', kiosk, { queue_id: queue!.id, channel: 'kiosk' })
      if (answer?.status === 201) told.taken.push((JSON.parse(answer.body) as { id: number }).id)
      else if (answer) refused++
    }
  }
  async function serveAll(n: number) {
    const { id: agent } = fixture.agents[n]!
    const token = tokenOf(fixture.agentActors[n]!, 3600)
    while (hasTime() && told.called.length < calls) {
      const answer = await client.post(`/agents/${agent}/call-next/`, token)
      if (!answer) continue
      if (answer.status !== 200) {
        refused++
        await sleep(50)
        continue
      }
      const { ticket } = JSON.parse(answer.body) as { ticket: { id: number } | null }
      if (!ticket) {
        await sleep(20)
        continue
      }
      told.called.push({ agent, ticket: ticket.id })
      const done = await client.post(`/tickets/${ticket.id}/complete/`, token)
      if (done?.status === 200) told.completed.push(ticket.id)
      else if (done) refused++
    }
  }
  const naive = newBooks()
  async function takeNaively() {
    while (!isOver) {
      const answer = await client.attempt('/tickets/', kiosk, { queue_id: naiveQueue!.id, channel: 'kiosk' })
      if (answer?.status === 201) naive.taken.push((JSON.parse(answer.body) as { id: number }).id)
      await sleep(20)
    }
  }

  const weather = cutNowAndThen(
    proxies,
    random,
    () => client.counts.requests,
    () => isOver,
  )
  const naives = Promise.all(Array.from({ length: NAIVE_TAKERS }, takeNaively))
  const harm = killInTurn(
    options,
    random,
    () => told.called.length / calls,
    () => isOver,
  )
  harm.catch(() => (isOver = true))
  const reports = setInterval(() => {
    const { unanswered, wasDone } = client.counts
    options.progress?.(
      `${told.called.length} calls, ${unanswered} unanswered (${wasDone} were done), ${seconds().toFixed(0)} s`,
    )
  }, 1000)
  try {
    await Promise.all([
      ...Array.from({ length: TAKERS }, takeAll),
      ...Array.from({ length: AGENTS }, (_, n) => serveAll(n)),
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
      jobsLeft: await jobsLeft(database),
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
async function aContestedQueue({ owner }: FaultDatabase, slug: string): Promise<TenantFixture> {
  const fixture = await aTenant(owner, { slug, queues: 2, counters: AGENTS, agents: AGENTS })
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
  requests: () => number,
  isOver: () => boolean,
): Promise<void> {
  for (let next = REQUESTS_PER_CUT; !isOver(); await sleep(10)) {
    if (requests() < next) continue
    const proxy = proxies[Math.floor(random() * proxies.length)]!
    if (random() < 0.5) proxy.resetHalf(random)
    else proxy.cutHalf(random)
    next = requests() + REQUESTS_PER_CUT
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
      const ended = await database.owner(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'smartqueue%'
           and pid <> pg_backend_pid() and random() < 0.5`,
      )
      count.backends += ended.length
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

/** Whether background work goes on. */
async function jobsLeft({ owner }: FaultDatabase): Promise<number> {
  await owner(`select graphile_worker.add_job('tickets.sweep_timers', '{}'::json) from generate_series(1, ${JOBS})`)
  let left = JOBS
  for (let waited = 0; left > 0 && waited < JOBS_WITHIN_MS; waited += 100) {
    await sleep(100)
    left = (await owner<{ left: number }>('select count(*)::int as left from graphile_worker.jobs'))[0]!.left
  }
  return left
}
