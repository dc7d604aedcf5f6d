import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectDirect, type Direct } from '../../server/kernel/db/index.ts'
import { aTenant } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { randomizer } from '../random.ts'
import { Api } from './api.ts'
import { countHoles, judgeBooks, newBooks, readBooks, type BooksVerdict } from './books.ts'
import { PersistentClient, type RequestCounts } from './persistent.ts'
import { ServerProcess } from './processes.ts'

export interface EmbeddedOptions {
  secretKey: string
  kills: number
  seed: number
  /** Ends the run early. */
  signal: AbortSignal
  progress?(line: string): void
}
export interface EmbeddedReport extends BooksVerdict, RequestCounts {
  kills: number
  taken: number
  holes: number
  /** Processes on the database's directory: while it was served, and after the last kill. */
  processesServing: number
  processesLeft: number
  seconds: number
}

const TAKERS = 8
const ROUND_MS = 1000
const STOP_WITHIN_MS = 15_000

/** `serve` with its own database, killed again and again under takers, who must find everything they were told of. */
export async function embedded({ secretKey, kills, seed, signal, progress }: EmbeddedOptions): Promise<EmbeddedReport> {
  const started = performance.now()
  const directory = mkdtempSync(join(tmpdir(), 'smartqueue-faults-'))
  // Root's PostgreSQL runs as another user, who must get in.
  chmodSync(directory, 0o755)
  const server = await ServerProcess.start({ DATA_DIR: directory, SECRET_KEY: secretKey })
  const owner = superuser(join(directory, 'postgresql'))
  const fixture = await aTenant(owner, { slug: 'embedded' })
  const [queue] = fixture.queues
  await owner('update queues set number_last = 9999999')
  const kiosk = tokenOf(fixture.kiosk, 3600)
  const api = new Api(server.port, fixture.tenant.slug)
  const random = randomizer(seed)
  const client = new PersistentClient([api], random)
  const told = newBooks()
  let isOver = false
  const taking = Promise.all(
    Array.from({ length: TAKERS }, async () => {
      while (!isOver) {
        const answer = await client.post('/tickets/', kiosk, { queue_id: queue!.id, channel: 'kiosk' })
        if (answer?.status === 201) told.taken.push((JSON.parse(answer.body) as { id: number }).id)
      }
    }),
  )
  try {
    for (let kill = 1; kill <= kills && !signal.aborted; kill++) {
      await sleep(ROUND_MS * (0.5 + random()))
      await server.kill()
      // By turns at once, while the database of the killed server is just being stopped, and after it has ended.
      if (kill % 2 === 0) await untilGone(directory)
      await server.start()
      progress?.(`${kill} kills, ${told.taken.length} tickets`)
    }
    await sleep(ROUND_MS)
    isOver = true
    await taking
    const verdict = judgeBooks(told, await readBooks(owner, queue!.id))
    const holes = await countHoles(owner, queue!.site_id, queue!.id)
    const processesServing = processesOn(directory)
    await server.kill()
    return {
      kills,
      taken: told.taken.length,
      ...client.counts,
      ...verdict,
      holes,
      processesServing,
      processesLeft: await untilGone(directory),
      seconds: (performance.now() - started) / 1000,
    }
  } finally {
    isOver = true
    if (client.firstFailure) progress?.(`${client.firstFailure}\n${server.output}`)
    api.close()
    await server.kill()
    await untilGone(directory)
    rmSync(directory, { recursive: true })
  }
}

/** One statement as superuser of the server's database, without keeping it alive. */
function superuser(cluster: string): Direct['query'] {
  return async (text, values) => {
    const direct = await connectDirect(`postgresql://postgres@localhost/smartqueue?host=${encodeURIComponent(cluster)}`)
    try {
      return await direct.query(text, values)
    } finally {
      await direct.close()
    }
  }
}

/** Processes whose command line names the directory: PostgreSQL and whoever watches over it. */
function processesOn(directory: string): number {
  const { stdout } = spawnSync('ps', ['-A', '-ww', '-o', 'command='], { encoding: 'utf8' })
  return stdout.split('\n').filter((command) => command.includes(directory)).length
}

/** Waits until nothing runs on the directory. Resolves with the number of processes left, 0 unless time ran out. */
async function untilGone(directory: string): Promise<number> {
  for (let waited = 0; waited < STOP_WITHIN_MS; waited += 50) {
    if (processesOn(directory) === 0) return 0
    await sleep(50)
  }
  return processesOn(directory)
}
