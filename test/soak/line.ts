import { setTimeout as sleep } from 'node:timers/promises'
import { tokenOf } from '../../server/test/tokens.ts'
import { Api } from '../faults/api.ts'
import { judgeBooks, newBooks, readBooks } from '../faults/books.ts'
import { atLeast, atMost, none } from '../faults/table.ts'
import { round, told, type Run } from './run.ts'
import { takers } from './takers.ts'
import { inWorld } from './world.ts'

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
