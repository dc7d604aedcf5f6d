import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hashPassword } from '../../server/modules/authentication/index.ts'
import { aTenant, type TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { Api, type Answer } from '../faults/api.ts'
import { jobs } from '../faults/jobs.ts'
import { ServerProcess } from '../faults/processes.ts'
import { atLeast, atMost, none } from '../faults/table.ts'
import { Clocks } from './clocks.ts'
import { naiveLine } from './naive-line.ts'
import { Postgres } from './postgres.ts'
import { told, type Run } from './run.ts'

const HOUR = 3600
/** What each of the clocks is ahead of the true one, one state after the other. Tokens in hand live through all of them. */
const STATES = [
  { database: 0, first: 0, second: 0 },
  { database: HOUR },
  { database: 0 },
  { database: -HOUR },
  { database: 0 },
  { first: 300, second: -300 },
  { database: 1200, first: 1200, second: 1200 },
  { database: -1200, first: -1200, second: -1200 },
  { database: 0, first: 0, second: 0 },
] as const
/** Skews within which whoever signs in at one node is known at the other. */
const SKEWS = [
  { database: 45, first: 0, second: 0 },
  { database: -45, first: 0, second: 0 },
  { database: 0, first: 50, second: 0 },
] as const
/** Where a line is long enough that order can be lost, nobody joins it. */
const LINE = 40
const ATTEMPTS = 12
const AGAIN_MS = 250
const PASSWORD = 'correct horse battery staple'

/**
 * The clocks of the database and of two nodes jump, apart and together, while visitors take tickets and agents call them.
 * Nobody may be overtaken or called twice, no wait be negative, nobody with a token be turned away. Control: the same jumps
 * on a line that is ordered by the time of arrival.
 */
export async function clock(run: Run): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'smartqueue-clock-'))
  chmodSync(directory, 0o755)
  const servers: ServerProcess[] = []
  let postgres: Postgres | undefined
  try {
    const clocks = new Clocks(directory, ['database', 'first', 'second'])
    postgres = await Postgres.make(join(directory, 'postgres'), { environment: clocks.environment('database') })
    const fixture = await aTenant(postgres.query, { slug: 'clocks', counters: 4, agents: 4, timezone: noonSomewhere() })
    await postgres.query(
      'update queues set number_last = 9999999, one_ticket_per_device = false, confirm_arrival = false',
    )
    await postgres.query('update users set password_hash = $1', [await hashPassword(PASSWORD)])
    const settings = {
      DATABASE_URL: postgres.url('sq_login'),
      DATABASE_DIRECT_URL: postgres.url('postgres'),
      SECRET_KEY: run.secretKey,
      DATA_DIR: join(directory, 'server'),
    }
    for (const name of ['first', 'second'] as const)
      servers.push(await ServerProcess.start({ ...settings, ...clocks.environment(name) }))

    const people = everybody(servers, fixture)
    const naive = naiveLine(postgres.query, postgres.url('postgres'))
    const estimates: number[] = []
    for (const state of STATES) {
      if (run.signal.aborted) break
      clocks.set(state)
      const before = people.calls()
      await sleep(run.amount('seconds', 4, 20) * 1000)
      // On a machine with much else to do, until something has happened.
      for (let waited = 0; waited < 20_000 && people.calls() < before + 25; waited += 100) await sleep(100)
      estimates.push(people.estimate())
      run.say(
        `${Object.entries(state).map(([whose, by]) => `${whose} ${by} s`)}: ${people.calls()} called, estimate ${people.estimate()} s`,
      )
    }
    await people.stop()
    const control = await naive.stop()

    const strangers: number[] = []
    for (const skew of SKEWS) {
      clocks.set(skew)
      strangers.push(await signInAtEach(servers, fixture))
    }
    clocks.set({ database: -HOUR, first: 0, second: 0 })
    const signInsFailedFarBehind = await signInAtEach(servers, fixture)
    const work = jobs({
      owner: postgres.query,
      url: postgres.url('sq_login'),
      directUrl: postgres.url('postgres'),
      jobs: 150,
      workers: 3,
      kills: 0,
      signal: run.signal,
      maxSeconds: 60,
      progress: run.say,
    })
    for (const database of [-HOUR, 0, HOUR]) {
      await sleep(2500)
      clocks.set({ database })
    }
    const { lost: jobsLost, double: jobsTwice } = await work

    const { counts } = people
    const books = await readLine(postgres.query, fixture.queues[0]!.id)
    run.note({
      'jumps of a clock': atLeast(8, STATES.length - 1),
      'tickets called meanwhile': atLeast(200, books.called),
      'overtaken by somebody who came later': none(books.overtaken),
      'called twice': none(books.twice),
      'acknowledged and lost': none(people.taken.filter((id) => !books.ids.has(id)).length),
      'waits and services below zero, in the database': none(books.negative),
      'figures below zero, in answers': none(counts.negative),
      'requests repeated after a 503': told(counts.repeated),
      '… that failed all the same': none(counts.failed),
      'turned away with a token in hand (401)': none(counts.unauthorized),
      'refused otherwise': none(counts.refused),
      'longest estimate (median) told, in s, of a line of 40': atMost(HOUR, Math.max(...estimates)),
      '… upper end of the range': told(people.highest()),
      '… when all clocks were right again': atMost(Math.max(600, 2 * estimates[0]!), estimates.at(-1)!),
      'not known at the other node after signing in, clocks 50 s apart': none(
        strangers.reduce((sum, each) => sum + each),
      ),
      '… the database an hour behind: told, for such a clock is an outage of signing in': told(signInsFailedFarBehind),
      'jobs lost while leases jumped': none(jobsLost),
      '… effects twice': none(jobsTwice),
      'servers that gave up': none(servers.reduce((sum, server) => sum + server.unexpectedEnds, 0)),
      'control: overtaken in a line by time of arrival': atLeast(1, control.overtaken),
      'control: waits below zero there': atLeast(1, control.negative),
    })
    if (people.firstNegative) run.say(`below zero: ${people.firstNegative}`)
    for (const [kind, count] of people.failures) run.say(`${count} x ${kind}`)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    await postgres?.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A zone where no jump of this run leaves the day, on which numbers begin again. */
function noonSomewhere(): string {
  const ahead = 12 - Temporal.Now.zonedDateTimeISO('UTC').hour
  return `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`
}

interface Counts {
  failed: number
  unauthorized: number
  refused: number
  repeated: number
  negative: number
}
function everybody(servers: readonly ServerProcess[], fixture: TenantFixture) {
  const apis = servers.map(({ port }) => new Api(port, fixture.tenant.slug))
  const queue = fixture.queues[0]!.id
  const counts: Counts = { failed: 0, unauthorized: 0, refused: 0, repeated: 0, negative: 0 }
  const taken: number[] = []
  let called = 0
  let estimate = 0
  let highest = 0
  let isOver = false
  let firstNegative: string | undefined
  const failures = new Map<string, number>()
  let turn = 0
  const ofAge = (actor: TenantFixture['kiosk']) => tokenOf(actor, HOUR, HOUR / 2)

  /** A database whose clock jumps ahead takes what is under way for late: whoever is answered 503 asks again, with the same key. */
  async function patiently(send: (api: Api, key: string) => Promise<Answer>): Promise<Answer | null> {
    const key = randomUUID()
    for (let attempt = 1; ; attempt++) {
      const answer = await send(apis[turn++ % apis.length]!, key).catch(() => null)
      if ((answer && answer.status !== 503) || attempt === ATTEMPTS) return answer
      counts.repeated++
      await sleep(AGAIN_MS)
    }
  }
  async function ask(what: string, send: (api: Api, key: string) => Promise<Answer>): Promise<unknown> {
    const answer = await patiently(send)
    if (answer && answer.status < 300) {
      const body: unknown = JSON.parse(answer.body)
      const below = negativeIn(body, what)
      if (below !== undefined) {
        counts.negative++
        firstNegative ??= below
      }
      return body
    }
    counts[!answer || answer.status >= 500 ? 'failed' : answer.status === 401 ? 'unauthorized' : 'refused']++
    const code = /"code":"(\w+)"/.exec(answer?.body ?? '')?.[1]
    const kind = `${what}: ${answer ? `${answer.status} ${code}` : 'no answer'}`
    failures.set(kind, (failures.get(kind) ?? 0) + 1)
    return null
  }
  const until = async (restMs: number, work: () => Promise<void>) => {
    while (!isOver) {
      await work()
      await sleep(restMs)
    }
  }
  const kiosk = ofAge(fixture.kiosk)
  const take = async () => {
    if (taken.length - called > LINE) return
    const made = await ask('take', (api, key) =>
      api.post('/tickets/', kiosk, { queue_id: queue, channel: 'kiosk' }, key),
    )
    if (made) taken.push((made as { id: number }).id)
  }
  const serve = (index: number) => {
    const token = ofAge(fixture.agentActors[index]!)
    return async () => {
      const next = await ask('call', (api, key) =>
        api.post(`/agents/${fixture.agents[index]!.id}/call-next/`, token, {}, key),
      )
      const { ticket } = (next ?? {}) as { ticket?: { id: number } | null }
      if (!ticket) return
      called++
      await ask('complete', (api, key) => api.post(`/tickets/${ticket.id}/complete/`, token, {}, key))
    }
  }
  const admin = ofAge(fixture.admin)
  const read = async () => {
    await ask('list', (api) => api.get('/tickets/?limit=20', admin))
    await ask('board', (api) => api.get(`/queues/${queue}/board/`, admin))
    await ask('analytics', (api) => api.get('/analytics/live/', admin))
    const stats = await ask('stats', (api) => api.get(`/queues/${queue}/stats/`, admin))
    const { eta } = (stats ?? {}) as { eta?: { median_seconds: number | null; high_seconds: number | null } }
    estimate = eta?.median_seconds ?? 0
    highest = Math.max(highest, eta?.high_seconds ?? 0)
  }
  // Somebody waits at any moment, so that order can be lost.
  const people = [
    ...Array.from({ length: 4 }, () => until(45, take)),
    ...fixture.agents.map((_, index) => until(60, serve(index))),
    until(200, read),
  ]
  return {
    counts,
    taken,
    calls: () => called,
    estimate: () => estimate,
    highest: () => highest,
    get firstNegative() {
      return firstNegative
    },
    failures,
    async stop() {
      isOver = true
      await Promise.all(people)
      for (const api of apis) api.close()
    },
  }
}

/** Where in an answer a number is below zero. */
function negativeIn(value: unknown, path: string): string | undefined {
  if (typeof value === 'number') return value < 0 ? `${path} = ${value}` : undefined
  if (typeof value !== 'object' || value === null) return undefined
  for (const [name, part] of Object.entries(value)) {
    const found = negativeIn(part, `${path}.${name}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** Signs in at each node and asks the other who that is; how often it did not know. */
async function signInAtEach(servers: readonly ServerProcess[], { tenant }: TenantFixture): Promise<number> {
  let unknown = 0
  for (const [i, { port }] of servers.entries()) {
    const credentials = { email: `agent${i + 1}@${tenant.slug}.example`, password: PASSWORD, tenant: tenant.slug }
    const signedIn = await fetch(`http://127.0.0.1:${port}/api/v1/auth/token/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(credentials),
    })
    const { access } = (await signedIn.json()) as { access?: string }
    const other = servers[(i + 1) % servers.length]!
    const { status } = await fetch(`http://127.0.0.1:${other.port}/api/v1/auth/session/`, {
      headers: { authorization: `Bearer ${access}` },
    })
    if (status !== 200) unknown++
  }
  return unknown
}

/** How the line really went, by the log, whose offsets come from no clock. */
async function readLine(query: Postgres['query'], queueId: number) {
  const [row] = await query<{ called: number; twice: number; overtaken: number; negative: number; ids: number[] }>(
    `with taken as (select ticket_id, "offset" from events where queue_id = $1 and type = 'ticket.created'),
       calls as (select ticket_id, "offset" from events where queue_id = $1 and type = 'ticket.called'),
       line as (select coalesce(c."offset", 9e18::bigint) as turn,
           min(c."offset") over (order by t."offset" desc rows between unbounded preceding and 1 preceding) as of_later
         from taken t left join calls c using (ticket_id)),
       stays as (select entered_at, called_at, started_at, ended_at from tickets where queue_id = $1
                 union all select entered_at, called_at, started_at, ended_at from ticket_legs where queue_id = $1)
     select (select count(*)::int from calls) as called,
       (select (count(*) - count(distinct ticket_id))::int from calls) as twice,
       (select count(*)::int from line where turn > of_later) as overtaken,
       (select count(*)::int from stays where called_at < entered_at or started_at < called_at or ended_at < coalesce(started_at, called_at, entered_at)) as negative,
       (select coalesce(json_agg(ticket_id), '[]') from taken) as ids`,
    [queueId],
  )
  return { ...row!, ids: new Set(row!.ids) }
}
