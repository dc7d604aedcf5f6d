import { setTimeout as sleep } from 'node:timers/promises'
import { requestHead, startDriver } from '../../bench/http/driver.ts'
import type { TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { Api } from '../faults/api.ts'
import { kill } from '../faults/kill.ts'
import { checkDurable, startDatabase } from '../faults/database.ts'
import { readThenSave, withoutSynchronousCommit } from '../faults/controls.ts'
import { ServerProcess } from '../faults/processes.ts'
import { atLeast, atMost, none } from '../faults/table.ts'
import { round, told, type Run } from './run.ts'
import { naiveQueue } from './naive-queue.ts'
import { inWorld } from './world.ts'

/** 100 000 contended calls while servers get kill -9, backends are ended and PostgreSQL is stopped at once. */
export async function contended(run: Run): Promise<void> {
  const calls = run.amount('calls', 2000, 100_000)
  const database = await startDatabase()
  const servers: ServerProcess[] = []
  try {
    await checkDurable(database.owner)
    const settings = {
      DATABASE_URL: database.url,
      DATABASE_DIRECT_URL: database.directUrl,
      SECRET_KEY: run.secretKey,
      DATA_DIR: database.directory,
    }
    for (let i = 0; i < 2; i++) servers.push(await ServerProcess.start(settings))
    const times = run.isQuick
      ? { serverKills: 2, crashes: 1, terminations: 1 }
      : { serverKills: run.amount('kills', 20, 20), crashes: 4, terminations: 6 }
    const report = await kill({
      database,
      servers,
      calls,
      agents: run.amount('agents', 24, 96),
      takers: run.amount('takers', 12, 48),
      ...times,
      seed: run.seed,
      signal: run.signal,
      maxSeconds: run.amount('seconds', 240, 3400),
      progress: run.say,
      progressMs: run.isQuick ? 2000 : 15_000,
    })
    run.note({
      'tickets called': atLeast(calls, report.calls),
      'servers killed with kill -9': atLeast(times.serverKills, report.serverKills),
      'PostgreSQL stopped at once': atLeast(times.crashes, report.crashes),
      'backends ended': atLeast(1, report.backends),
      'done twice': none(report.double),
      'acknowledged and lost': none(report.lost),
      'two agents, one ticket': none(report.shared),
      'holes in offsets or numbers': none(report.holes),
      'unanswered attempts': atLeast(1, report.unanswered),
      '… that had been done': atLeast(1, report.wasDone),
      '… never resolved': none(report.unresolved),
      'replays with other bytes': none(report.differing),
      'refused without reason': none(report.refused),
      'answers 500': none(report.internal),
      'servers that gave up': none(report.unexpectedEnds),
      'jobs nobody does': none(report.jobsLeft),
      'calls a second, kills included': told(round(report.calls / report.seconds)),
      'control: done twice without a key': atLeast(1, report.naiveDouble),
      'control: shared by read-then-save': atLeast(1, (await readThenSave(database)).shared),
      'control: lost without synchronous_commit': atLeast(1, await withoutSynchronousCommit(database, servers)),
    })
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    await database.close()
  }
}

/** As many as the server serves best; more of them only wait. */
const PEOPLE = 32

/**
 * Four times as many people as the server can serve at once, all of them impatient; agents still call. Control: the same on a
 * server with a connection for each request.
 */
export async function overload(run: Run): Promise<void> {
  await inWorld(
    run,
    async ({ database, server, fixture }) => {
      const { peak, goodput, share, waits } = await overloaded(run, server.port, fixture)
      const naive = await naiveQueue(database.directUrl)
      const control = await overloaded(run, naive.port, fixture)
      await naive.close()
      const p99 = (times: readonly number[]) => round(times[Math.floor(times.length * 0.99)] ?? Infinity, 0)
      run.note({
        'tickets a second at the peak': told(round(peak)),
        '… with four times as many people': told(round(goodput)),
        'share of the peak, median of pairs': atLeast(0.7, round(share, 2)),
        'calls by agents meanwhile': atLeast(20, waits.length),
        '… p99 in ms': atMost(1000, p99(waits)),
        'servers that gave up': none(server.unexpectedEnds),
        'control: tickets a second of a naive server': told(round(control.peak)),
        'control: … with four times as many people': told(round(control.goodput)),
        'control: share of the product’s': atMost(0.5, round(control.goodput / goodput, 2)),
        'control: p99 of calls there, in ms': atLeast(1000, p99(control.waits)),
      })
    },
    { isDirect: true },
  )
}

async function overloaded(run: Run, port: number, fixture: TenantFixture) {
  const driver = startDriver()
  const head = requestHead('POST', `/api/v1/tenants/${fixture.tenant.slug}/tickets/`, {
    Authorization: `Bearer ${tokenOf(fixture.kiosk, 4 * 3600)}`,
    'Content-Type': 'application/json',
  })
  /** Tickets a second that people were given, who ask again as soon as they are answered. */
  const goodput = async (people: number): Promise<number> => {
    const seconds = run.amount('seconds', 2, 8)
    const ids = { first: fixture.queues[0]!.id, count: 1, wrap: true }
    const body = '{"queue_id":{id},"channel":"kiosk"}'
    const result = await driver.run({ port, head, body, ids, connections: people, seconds })
    return (result.done - result.failures) / result.seconds
  }
  try {
    await goodput(PEOPLE)
    const pairs: { peak: number; rush: number; share: number }[] = []
    const waits: number[] = []
    // By turns, so that what else the machine does falls on both alike.
    for (let round = 1; round <= run.amount('rounds', 3, 7) && !run.signal.aborted; round++) {
      const peak = await goodput(PEOPLE)
      const calling = agentsCalling(port, fixture)
      const rush = await goodput(4 * PEOPLE)
      waits.push(...(await calling.stop()))
      pairs.push({ peak, rush, share: rush / peak })
      run.say(`${Math.round(peak)} tickets a second for ${PEOPLE} people, ${Math.round(rush)} for ${4 * PEOPLE}`)
    }
    const median = (of: 'peak' | 'rush' | 'share') =>
      pairs.map((pair) => pair[of]).toSorted((x, y) => x - y)[pairs.length >> 1]!
    return {
      peak: median('peak'),
      goodput: median('rush'),
      share: median('share'),
      waits: waits.toSorted((x, y) => x - y),
    }
  } finally {
    driver.close()
  }
}

/** Agents who call, serve and end, one visitor after the other, and how long each call took. */
function agentsCalling(port: number, fixture: TenantFixture) {
  const waits: number[] = []
  let isOver = false
  const calling = Promise.all(
    fixture.agents.map(async ({ id }, i) => {
      const api = new Api(port, fixture.tenant.slug)
      const token = tokenOf(fixture.agentActors[i]!, 3600)
      while (!isOver) {
        const since = performance.now()
        const answer = await api.post(`/agents/${id}/call-next/`, token).catch(() => null)
        waits.push(performance.now() - since)
        const { ticket } = (answer?.status === 200 ? JSON.parse(answer.body) : {}) as {
          ticket?: { id: number } | null
        }
        if (ticket) await api.post(`/tickets/${ticket.id}/start/`, token).catch(() => null)
        if (ticket) await api.post(`/tickets/${ticket.id}/complete/`, token).catch(() => null)
        await sleep(50)
      }
      api.close()
    }),
  )
  return {
    async stop() {
      isOver = true
      await calling
      return waits
    },
  }
}
