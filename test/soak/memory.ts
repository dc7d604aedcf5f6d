import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import WebSocket from 'ws'
import type { TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { Api, type Answer } from '../faults/api.ts'
import { atLeast, atMost, none } from '../faults/table.ts'
import { round, told, type Run } from './run.ts'
import { inWorld } from './world.ts'

/** Queues over which work and followers are spread: what happens in one is told to its followers alone. */
const QUEUES = 40
/** Of the rate: visits of three requests each (take, call, complete) and reads. */
const VISIT_SHARE = 0.2
const TICK_MS = 20
/** Whoever has so many answers outstanding does not keep its rate. */
const MOST_OPEN = 300
const SAMPLE_MS = 2000
/** No socket ends because its token does. */
const TOKEN_SECONDS = 4 * 3600
/** Of a run, in which caches fill. */
const WARM_UP = 1 / 3
/** In less the collector's moods, a hundred MiB up and down, are all there is to see. */
const TREND_MINUTES = 10
/** Less is what a collector's moods make of a short run. */
const GOAL_MIB_A_MINUTE = 1.5

/**
 * Ordinary work at a steady rate with sockets that stay: memory must not rise with time. Control: a server that keeps what
 * it is asked, at the same rate and by the same measure.
 */
export async function memory(run: Run): Promise<void> {
  const minutes = run.amount('minutes', 1, 60)
  const count = run.amount('sockets', 200, 2000)
  const rate = run.amount('rate', 100, 300)
  await inWorld(
    run,
    async ({ database, server, fixture }) => {
      await database.owner('update queues set confirm_arrival = false')
      const sockets = await followersOf(server.port, fixture, count)
      run.say(`${sockets.open()} sockets follow ${fixture.queues.length} queues`)
      const work = atRate(rate, visitsAndReads(server.port, fixture))
      const samples = await sampled(
        server.pid,
        minutes,
        run,
        () =>
          `${work.counts.requests} requests, ${work.counts.failed} failed, ${sockets.open()} sockets, ${sockets.frames()} frames`,
      )
      await work.stop()
      const open = sockets.open()
      sockets.close()
      const slope = slopeOf(samples)
      const control = await leaking(rate, Math.min(minutes, 1), run)
      run.note({
        'minutes ': atLeast(minutes, round(samples.at(-1)!.minutes + SAMPLE_MS / 60_000, 2)),
        'requests a second': atLeast(0.95 * rate, round(work.counts.requests / (samples.at(-1)!.minutes * 60))),
        '… failed': none(work.counts.failed),
        'sockets that followed to the end': atLeast(count, open),
        'frames that they heard': atLeast(count, sockets.frames()),
        'MiB (RSS) after the first third': told(round(at(samples, WARM_UP))),
        '… at the end': told(round(samples.at(-1)!.mebibytes)),
        '… at most': told(round(Math.max(...samples.map(({ mebibytes }) => mebibytes)))),
        'MiB a minute since then':
          minutes >= TREND_MINUTES ? atMost(GOAL_MIB_A_MINUTE, round(slope, 2)) : told(round(Math.max(0, slope), 2)),
        'control: MiB a minute of a server that keeps what it is asked': atLeast(GOAL_MIB_A_MINUTE, round(control, 2)),
      })
    },
    {
      environment: { RATE_LIMIT_FACTOR: '1000000' },
      shape: { queues: QUEUES, counters: 8, agents: 8 },
      isDirect: true,
    },
  )
}

interface Sample {
  minutes: number
  mebibytes: number
}
const residentOf = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
const at = (samples: readonly Sample[], share: number) => samples[Math.floor(samples.length * share)]!.mebibytes

async function sampled(pid: number, minutes: number, run: Run, describe: () => string): Promise<Sample[]> {
  const started = performance.now()
  const passed = () => (performance.now() - started) / 60_000
  const samples: Sample[] = []
  let saidAt = 0
  do {
    await sleep(SAMPLE_MS)
    samples.push({ minutes: passed(), mebibytes: residentOf(pid) })
    if (passed() - saidAt < 0.5) continue
    saidAt = passed()
    run.say(`${round(passed())} min: ${Math.round(samples.at(-1)!.mebibytes)} MiB, ${describe()}`)
  } while (passed() < minutes && !run.signal.aborted)
  return samples
}

/** MiB a minute after the warm-up, by least squares. */
function slopeOf(samples: readonly Sample[]): number {
  const rest = samples.slice(Math.floor(samples.length * WARM_UP))
  const mean = (of: (sample: Sample) => number) => rest.reduce((sum, each) => sum + of(each), 0) / rest.length
  const [x, y] = [mean(({ minutes }) => minutes), mean(({ mebibytes }) => mebibytes)]
  const spread = rest.reduce((sum, { minutes }) => sum + (minutes - x) ** 2, 0)
  return rest.reduce((sum, { minutes, mebibytes }) => sum + (minutes - x) * (mebibytes - y), 0) / spread
}

async function leaking(rate: number, minutes: number, run: Run): Promise<number> {
  const program = fileURLToPath(new URL('leaking-server.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    ['--import', fileURLToPath(new URL('../faults/with-parent.ts', import.meta.url)), program],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  try {
    const [port] = (await once(child.stdout, 'data')) as [Buffer]
    const api = new Api(Number(port), 'nobody')
    const work = atRate(rate, () => api.get('/', ''))
    const samples = await sampled(child.pid!, minutes, run, () => 'of the control')
    await work.stop()
    api.close()
    return slopeOf(samples)
  } finally {
    child.kill('SIGKILL')
  }
}

/** So many requests a second, whenever the ones before are answered. */
function atRate(rate: number, next: (turn: number) => Promise<Answer>) {
  const counts = { requests: 0, failed: 0 }
  const open = new Set<Promise<void>>()
  const started = performance.now()
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - started) / 1000) * rate)
    while (counts.requests < due && open.size < MOST_OPEN) {
      const asked: Promise<void> = next(counts.requests++)
        .then(
          ({ status }) => void (status >= 500 && counts.failed++),
          () => void counts.failed++,
        )
        .finally(() => open.delete(asked))
      open.add(asked)
    }
  }, TICK_MS)
  return {
    counts,
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
    },
  }
}

/** Visits go from queue to queue, so that no line grows; everything else is read. */
function visitsAndReads(port: number, { tenant, queues, agents, agentActors, kiosk, admin }: TenantFixture) {
  const api = new Api(port, tenant.slug)
  // Tokens live an hour at most.
  let tokens = { at: -Infinity, kiosk: '', admin: '', agents: [] as string[] }
  const fresh = () => {
    if (performance.now() - tokens.at > 1_800_000)
      tokens = {
        at: performance.now(),
        kiosk: tokenOf(kiosk, TOKEN_SECONDS),
        admin: tokenOf(admin, TOKEN_SECONDS),
        agents: agentActors.map((actor) => tokenOf(actor, TOKEN_SECONDS)),
      }
    return tokens
  }
  const free = agents.map(({ id }, n) => ({ id, n, calls: 0 }))
  const called: { ticket: number; agent: (typeof free)[number] }[] = []
  let taken = 0
  const READS = [
    '/queues/',
    '/tickets/?limit=20',
    '/queues/Q/stats/',
    '/queues/Q/board/',
    '/agents/',
    '/analytics/live/',
  ]
  return async (turn: number): Promise<Answer> => {
    const queue = queues[turn % queues.length]!.id
    if (turn % 100 >= VISIT_SHARE * 100) {
      const path = READS[turn % READS.length]!.replace('Q', String(queue))
      return api.get(path, fresh().admin)
    }
    const done = called.shift()
    if (done) {
      const path = `/tickets/${done.ticket}/complete/`
      const answer = await orElse(api.post(path, fresh().agents[done.agent.n]!), () => called.push(done))
      // One that is refused for a moment is completed later: its agent would be busy for good.
      if (answer.status === 503) called.push(done)
      else free.push(done.agent)
      return answer
    }
    const agent = taken > 0 ? free.shift() : undefined
    if (!agent) {
      taken++
      return api.post('/tickets/', fresh().kiosk, { queue_id: queue, channel: 'kiosk' })
    }
    taken--
    // Until it is answered it is the same call: whom it called is known in the end.
    const call = api.post(`/agents/${agent.id}/call-next/`, fresh().agents[agent.n]!, {}, `${agent.id}-${agent.calls}`)
    const answer = await orElse(call, () => free.push(agent))
    if (answer.status === 200) agent.calls++
    const { ticket } = (answer.status === 200 ? JSON.parse(answer.body) : {}) as { ticket?: { id: number } | null }
    if (ticket) called.push({ ticket: ticket.id, agent })
    else free.push(agent)
    return answer
  }
}

async function orElse(answer: Promise<Answer>, onLost: () => unknown): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    onLost()
    throw error
  }
}

/** Sockets that hear what happens in their queue and keep nothing of it. One that ends comes back, as screens do. */
async function followersOf(port: number, { tenant, queues, supervisor }: TenantFixture, count: number) {
  const sockets = new Map<number, WebSocket>()
  let frames = 0
  let isOver = false
  const open = (n: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const path = `/ws/tenants/${tenant.slug}/queues/${queues[n % queues.length]!.id}/`
      const socket = new WebSocket(
        `ws://127.0.0.1:${port}${path}`,
        ['smartqueue.v1', `bearer.${tokenOf(supervisor, TOKEN_SECONDS)}`],
        {
          perMessageDeflate: false,
        },
      )
      sockets.set(n, socket)
      socket.on('message', () => {
        frames++
        resolve()
      })
      socket.on('error', reject)
      socket.on('close', () => {
        if (!isOver) void sleep(1000).then(() => open(n).catch(() => {}))
      })
    })
  for (let n = 0; n < count; n += 50)
    await Promise.all(Array.from({ length: Math.min(50, count - n) }, (_, i) => open(n + i)))
  return {
    frames: () => frames,
    open: () => [...sockets.values()].filter(({ readyState }) => readyState === WebSocket.OPEN).length,
    close() {
      isOver = true
      for (const socket of sockets.values()) socket.terminate()
    },
  }
}
