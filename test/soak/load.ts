import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { tokenOf } from '../../server/test/tokens.ts'
import { Api } from '../faults/api.ts'
import { follow } from '../faults/followers.ts'
import { kill } from '../faults/kill.ts'
import { startDatabase } from '../faults/database.ts'
import { readThenSave } from '../faults/controls.ts'
import { ServerProcess } from '../faults/processes.ts'
import { failed, traffic } from './traffic.ts'
import { atLeast, atMost, none, round, told, type Run } from './run.ts'
import { takers } from './takers.ts'
import { inWorld } from './world.ts'

/** 100 000 contended calls while servers, backends and PostgreSQL are killed 20 times and more. */
export async function contended(run: Run): Promise<void> {
  const calls = run.amount('calls', 2000, 100_000)
  const database = await startDatabase()
  const servers: ServerProcess[] = []
  try {
    const settings = {
      DATABASE_URL: database.url,
      DATABASE_DIRECT_URL: database.directUrl,
      SECRET_KEY: run.secretKey,
      DATA_DIR: database.directory,
    }
    for (let i = 0; i < 2; i++) servers.push(await ServerProcess.start(settings))
    const times = run.isQuick
      ? { serverKills: 2, crashes: 1, terminations: 1 }
      : { serverKills: 10, crashes: 4, terminations: 6 }
    const report = await kill({
      database,
      servers,
      calls,
      ...times,
      seed: run.seed,
      signal: run.signal,
      maxSeconds: run.amount('seconds', 150, 3000),
      progress: run.say,
    })
    run.note({
      'tickets called': atLeast(calls, report.calls),
      'kills of servers, backends and PostgreSQL': atLeast(
        times.serverKills + times.crashes + times.terminations,
        report.serverKills + report.crashes + times.terminations,
      ),
      'done twice': none(report.double),
      'acknowledged and lost': none(report.lost),
      'two agents, one ticket': none(report.shared),
      'holes in offsets or numbers': none(report.holes),
      'never resolved': none(report.unresolved),
      'answers 500': none(report.internal),
      'calls a second, kills included': told(round(report.calls / report.seconds)),
      'control: done twice without a key': atLeast(1, report.naiveDouble),
      'control: shared by read-then-save': atLeast(1, (await readThenSave(database)).shared),
    })
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    await database.close()
  }
}

/** Four times as many people as the server can serve at once, all of them impatient; agents still call. */
export async function overload(run: Run): Promise<void> {
  await inWorld(run, async ({ server, fixture }) => {
    const measure = async (people: number): Promise<number> => {
      const load = takers([server.port], fixture, people)
      await sleep(1000)
      const [from, since] = [load.takes.length, performance.now()]
      await sleep(run.amount('seconds', 4, 20) * 1000)
      const rate = (load.takes.length - from) / ((performance.now() - since) / 1000)
      await load.stop()
      return rate
    }
    await measure(16)
    const peak = await measure(32)
    run.say(`${round(peak)} tickets a second with 32 people`)
    const waits: number[] = []
    let isOver = false
    const calling = Promise.all(
      fixture.agents.map(async ({ id }, i) => {
        const api = new Api(server.port, fixture.tenant.slug)
        const token = tokenOf(fixture.agentActors[i]!, 3600)
        while (!isOver) {
          const since = performance.now()
          const answer = await api.post(`/agents/${id}/call-next/`, token)
          waits.push(performance.now() - since)
          const { ticket } = (answer.status === 200 ? JSON.parse(answer.body) : {}) as {
            ticket?: { id: number } | null
          }
          if (ticket) await api.post(`/tickets/${ticket.id}/start/`, token)
          if (ticket) await api.post(`/tickets/${ticket.id}/complete/`, token)
          await sleep(50)
        }
        api.close()
      }),
    )
    const goodput = await measure(128)
    isOver = true
    await calling
    waits.sort((a, b) => a - b)
    run.note({
      'tickets a second at the peak': told(round(peak)),
      'share of it with four times as many people': atLeast(0.7, round(goodput / peak, 2)),
      'calls by agents meanwhile': atLeast(20, waits.length),
      '… p99 in ms': atMost(1000, round(waits[Math.floor(waits.length * 0.99)] ?? Infinity, 0)),
      'servers that gave up': none(server.unexpectedEnds),
    })
  })
}

/** Hours of ordinary work: requests at a steady rate and sockets that stay. Memory must not rise with time. */
export async function memory(run: Run): Promise<void> {
  const seconds = run.amount('seconds', 60, 3600)
  const sockets = run.amount('sockets', 200, 2000)
  await inWorld(
    run,
    async ({ server, fixture }) => {
      const resident = () =>
        Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) / 1024
      const followers = Array.from({ length: sockets }, () =>
        follow({
          url: () => `ws://127.0.0.1:${server.port}/ws/tenants/${fixture.tenant.slug}/queues/${fixture.queues[0]!.id}/`,
          token: tokenOf(fixture.supervisor, 3600),
        }),
      )
      const load = traffic(server.port, fixture, run.amount('rest-ms', 30, 30))
      const samples: number[] = []
      for (let passed = 0; passed < seconds && !run.signal.aborted; passed += 5) {
        await sleep(5000)
        samples.push(resident())
        if (passed % 60 === 0) run.say(`${Math.round(samples.at(-1)!)} MiB, ${load.requests} requests`)
      }
      await load.stop()
      const open = followers.filter(({ heard }) => heard.frames.length > 0).length
      for (const follower of followers) follower.close()
      const third = Math.floor(samples.length / 3)
      const mean = (part: number[]) => part.reduce((sum, each) => sum + each, 0) / part.length
      const [middle, last] = [mean(samples.slice(third, 2 * third)), mean(samples.slice(2 * third))]
      run.note({
        seconds: atLeast(seconds, samples.length * 5),
        'requests a second': told(round(load.requests / (samples.length * 5))),
        'sockets that followed': atLeast(sockets, open),
        'requests failed': none(failed(load)),
        'MiB in the second third': told(round(middle)),
        'growth from the second to the last third': atMost(1.1, round(last / middle, 3)),
      })
    },
    { environment: { RATE_LIMIT_FACTOR: '1000000' } },
  )
}
