import { setTimeout as sleep } from 'node:timers/promises'
import { tokenOf } from '../../server/test/tokens.ts'
import { Api } from '../faults/api.ts'
import { judgeBooks, newBooks, readBooks } from '../faults/books.ts'
import { atLeast, atMost, none, round, told, type Run } from './run.ts'
import { takers } from './takers.ts'
import { inWorld, type World } from './world.ts'

/** How long an answer took, and what it was, while something was wrong. */
interface Probe {
  status: number
  ms: number
}

/** Somebody asks every 100 ms and waits for no answer before asking again. */
function asking({ server, fixture }: World) {
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
        ({ status }) => void probes.push({ status, ms: performance.now() - since }),
        () => void probes.push({ status: 0, ms: performance.now() - since }),
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

/**
 * Nothing passes between the API and its database for a while, and nobody is told: every connection stays open and silent, as
 * behind a firewall that drops. People must be answered that it is unavailable, and served again by itself.
 */
export async function partition(run: Run): Promise<void> {
  await inWorld(run, async (world) => {
    const seconds = run.amount('seconds', 8, 30)
    const before = takers([world.server.port], world.fixture, 4, 20)
    await sleep(2000)
    const people = asking(world)
    await sleep(500)
    people.probes.length = 0
    run.say(`nothing passes for ${seconds} s`)
    await world.line.blackhole(seconds * 1000)
    const during = [...people.probes]
    const healedAt = performance.now()
    await sleep(8000)
    await people.stop()
    await before.stop()
    const back = before.takes.find(({ at }) => at > healedAt)
    const kept = new Set((await world.database.owner<{ id: number }>('select id from tickets')).map(({ id }) => id))
    const [held] = await world.database.owner<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where application_name = 'smartqueue' and state like 'idle in transaction%'`,
    )
    const slowest = Math.max(...people.probes.map(({ ms }) => ms))
    run.note({
      'answers while nothing passed': atLeast(seconds, during.length),
      '… 503, or from before': none(during.filter(({ status }) => status !== 503 && status >= 500).length),
      'control: … 503': atLeast(1, during.filter(({ status }) => status === 503).length),
      'ms that somebody waited at most': atMost(3000, round(slowest, 0)),
      'ms until a ticket was taken again': atMost(5000, back ? round(back.at - healedAt, 0) : Infinity),
      'acknowledged and lost': none(before.takes.filter(({ id }) => !kept.has(id)).length),
      'connections left in a transaction': none(held!.n),
      'servers that gave up': none(world.server.unexpectedEnds),
    })
  })
}

/** The database answers late: 40 ms each way, as from another continent. */
export async function slow(run: Run): Promise<void> {
  await inWorld(run, async (world) => {
    const people = takers([world.server.port], world.fixture, 16)
    await sleep(3000)
    const quick = people.takes.length / 3
    const failedBefore = people.failures.length
    world.line.delayMs = 40
    await sleep(500)
    const [from, since] = [people.takes.length, performance.now()]
    await sleep(run.amount('seconds', 5, 20) * 1000)
    const late = (people.takes.length - from) / ((performance.now() - since) / 1000)
    world.line.delayMs = 0
    await sleep(1000)
    const [again, then] = [people.takes.length, performance.now()]
    await sleep(3000)
    const after = (people.takes.length - again) / ((performance.now() - then) / 1000)
    await people.stop()
    run.note({
      'tickets a second before': told(round(quick)),
      '… while each statement takes 80 ms longer': atLeast(5, round(late)),
      '… afterwards, of before': atLeast(0.5, round(after / quick, 2)),
      'failed requests': none(people.failures.length - failedBefore),
      'control: slower than before': atMost(round(quick), round(late)),
    })
  })
}

/** The database's disk is full: no commit, no lie, and it goes on by itself when there is room again. */
export async function diskFull(run: Run): Promise<void> {
  const { mountSmall } = await import('./small-disk.ts')
  const disk = await mountSmall(700)
  try {
    await inWorld(
      run,
      async (world) => {
        const people = takers([world.server.port], world.fixture, 8, 2)
        await sleep(2000)
        const told = newBooks()
        disk.fill()
        run.say('the disk is full')
        const fullAt = performance.now()
        const api = new Api(world.server.port, world.fixture.tenant.slug)
        for (let waited = 0; waited < 60_000 && !people.failures.some(({ at }) => at > fullAt); waited += 250)
          await sleep(250)
        await sleep(1500)
        const refused = people.failures.filter(({ at }) => at > fullAt)
        const read = await api.get('/tickets/?limit=5', tokenOf(world.fixture.admin, 3600)).catch(() => null)
        disk.free()
        const freedAt = performance.now()
        for (let waited = 0; waited < 30_000 && !people.takes.some(({ at }) => at > freedAt); waited += 100)
          await sleep(100)
        await sleep(1000)
        await people.stop()
        api.close()
        const back = people.takes.find(({ at }) => at > freedAt)
        told.taken = people.takes.map(({ id }) => id)
        const books = judgeBooks(told, {
          ...(await readBooks(world.database.owner, world.fixture.queues[0]!.id)),
          called: [],
          completed: [],
        })
        run.note({
          'tickets acknowledged': atLeast(100, people.takes.length),
          'control: requests refused while the disk was full': atLeast(1, refused.length),
          '… with another answer than 503': none(refused.filter(({ status }) => status !== 503 && status !== 0).length),
          'status of a read meanwhile (200, or 503 when PostgreSQL had to start again)': atMost(
            503,
            read?.status ?? 599,
          ),
          'ms until a ticket was taken after there was room': atMost(
            15_000,
            back ? round(back.at - freedAt, 0) : Infinity,
          ),
          'acknowledged and lost': none(books.lost),
          'servers that gave up': none(world.server.unexpectedEnds),
        })
      },
      { directory: disk.directory },
    )
  } finally {
    disk.close()
  }
}
