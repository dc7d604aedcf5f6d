import { setTimeout as sleep } from 'node:timers/promises'
import { connectDirect, type Direct } from '../../server/kernel/db/index.ts'

/** The control of the run with clocks: a line in which whoever came earlier by the clock is called earlier. */
export function naiveLine(owner: Direct['query'], url: string) {
  let isOver = false
  const order: number[] = []
  let negative = 0
  const working = (async () => {
    await owner(
      `create table naive_line (id bigint generated always as identity, at timestamptz not null default clock_timestamp(), called_at timestamptz)`,
    )
    const direct = await connectDirect(url)
    const take = () => direct.query('insert into naive_line default values')
    const call = async () => {
      const [called] = await direct.query<{ id: number; wait: number }>(
        `update naive_line set called_at = clock_timestamp()
         where id = (select id from naive_line where called_at is null order by at limit 1)
         returning id, extract(epoch from called_at - at)::float8 as wait`,
      )
      if (called && called.wait < 0) negative++
      if (called) order.push(called.id)
      return called !== undefined
    }
    // Some wait at any moment.
    for (let i = 0; i < 20; i++) await take()
    while (!isOver) {
      await take()
      await call()
      await sleep(20)
    }
    while (await call());
    await direct.close()
  })()
  return {
    async stop() {
      isOver = true
      await working
      let latest = 0
      let overtaken = 0
      for (const id of order) {
        if (id < latest) overtaken++
        latest = Math.max(latest, id)
      }
      return { overtaken, negative }
    },
  }
}
