import { setTimeout as sleep } from 'node:timers/promises'
import { connectDirect } from '../../server/kernel/db/index.ts'
import { aTenant } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { Api } from './api.ts'
import { judgeBooks, newBooks, readBooks, type BooksVerdict } from './books.ts'
import type { FaultDatabase } from './database.ts'
import type { ServerProcess } from './processes.ts'

const CALLERS = 8
const TICKETS = 500

/** Control: agents who read the head of the queue and then save that they have it. */
export async function readThenSave({ owner, directUrl }: FaultDatabase): Promise<BooksVerdict> {
  await owner(`create table naive_tickets (id integer primary key, agent_id integer)`)
  await owner(`insert into naive_tickets (id) select generate_series(1, ${TICKETS})`)
  const told = newBooks()
  const actual = newBooks()
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, agent) => {
      const direct = await connectDirect(directUrl)
      for (;;) {
        const [head] = await direct.query<{ id: number }>(
          'select id from naive_tickets where agent_id is null order by id limit 1',
        )
        if (!head) break
        await direct.query('update naive_tickets set agent_id = $2 where id = $1', [head.id, agent])
        told.called.push({ agent, ticket: head.id })
      }
      await direct.close()
    }),
  )
  const rows = await owner<{ id: number; agent_id: number }>('select id, agent_id from naive_tickets')
  actual.called = rows.map(({ id, agent_id }) => ({ agent: agent_id, ticket: id }))
  return judgeBooks(told, actual)
}

/**
 * Control: with synchronous_commit off, an immediate stop loses what was acknowledged. Several rounds, because a crash
 * just after the log was written loses nothing. Answers how many takes were lost.
 */
export async function withoutSynchronousCommit(
  { owner, crash }: FaultDatabase,
  servers: readonly ServerProcess[],
): Promise<number> {
  const fixture = await aTenant(owner, { slug: 'lossy' })
  const queueId = fixture.queues[0]!.id
  await owner('update queues set number_last = 9999999 where id = $1', [queueId])
  await owner('alter role sq_login set synchronous_commit = off')
  const kiosk = tokenOf(fixture.kiosk, 3600)
  const apis = servers.map(({ port }) => new Api(port, fixture.tenant.slug))
  let lost = 0
  try {
    // The setting holds for new sessions.
    await owner(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'smartqueue' and pid <> pg_backend_pid()`,
    )
    for (let round = 0; round < 8 && lost === 0; round++) {
      const told = newBooks()
      let isOver = false
      const taking = Promise.all(
        Array.from({ length: 2 * CALLERS }, async (_, n) => {
          while (!isOver) {
            const api = apis[n % apis.length]!
            const answer = await api.post('/tickets/', kiosk, { queue_id: queueId, channel: 'kiosk' }).catch(() => null)
            if (answer?.status === 201) told.taken.push((JSON.parse(answer.body) as { id: number }).id)
          }
        }),
      )
      await sleep(1000 + 97 * round)
      await crash()
      isOver = true
      await taking
      lost = judgeBooks(told, await readBooks(owner, queueId)).lost
    }
  } finally {
    await owner('alter role sq_login reset synchronous_commit')
    for (const api of apis) api.close()
  }
  return lost
}
