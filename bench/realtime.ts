/** `npm run bench:realtime [-- --quick] [--sockets 500,2000,10000] [--document]`: docs/performance.md says what and how. */
import type { Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { startCluster } from './cluster.ts'
import { document } from './document.ts'
import { describeMachine } from './machine.ts'
import { Clients } from './realtime/clients.ts'
import { crowd, judgeCrowd, warmUp, type CrowdResult } from './realtime/crowd.ts'
import { startServer } from './server.ts'
import { goalTable, resultTable } from './table.ts'
import { seed } from './world.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    sockets: { type: 'string', default: '500,2000,10000' },
    directory: { type: 'string' },
    document: { type: 'boolean', default: false },
  },
})
const sizes = options.sockets
  .split(',')
  .map(Number)
  .toSorted((a, b) => a - b)

const columns: [head: string, of: (result: CrowdResult) => number, digits: number][] = [
  ['sockets', (result) => result.sockets, 0],
  ['connects/s', (result) => result.connectsPerSecond, 0],
  ['heap KiB', (result) => result.heapKiB, 1],
  ['RSS KiB', (result) => result.residentKiB, 1],
  ['p50 ms', (result) => result.p50Ms, 1],
  ['p99 ms', (result) => result.p99Ms, 1],
  ['C msg/s', (result) => result.bareC, 0],
  ['JS msg/s', (result) => result.bareJs, 0],
  ['each msg/s', (result) => result.each, 0],
  ['by C', (result) => result.eachByC, 2],
  ['by JS', (result) => result.eachByJs, 2],
  ['coalesced msg/s', (result) => result.together, 0],
  ['by C', (result) => result.togetherByC, 1],
  ['by JS', (result) => result.togetherByJs, 1],
  ['back s', (result) => result.stormSeconds, 2],
  ['tx each', (result) => result.stormTransactions, 2],
]

const closers: (() => unknown)[] = []
async function close() {
  for (const closer of closers.splice(0).toReversed()) await closer()
}
process.once('SIGINT', () => void close().finally(() => process.exit(130)))

try {
  const cluster = await startCluster(options.directory)
  closers.push(cluster.close)
  const world = await seed(cluster.direct, 10)
  const server = await startServer(cluster, world)
  closers.push(server.close)
  const sockets = new Set<Socket>()
  server.app.app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const clients = await Clients.start(cluster.directory, server.port, sizes.at(-1)!)
  if (!clients)
    throw new Error('the clients are a C program, and there is no C compiler (cc): apt-get install gcc libc6-dev')
  closers.push(() => clients.close())
  const log = (line: string) => console.error(line)
  const bench = { server, world, db: cluster.direct, sockets, clients, repetitions: options.quick ? 1 : 3, log }
  const warm = await warmUp(bench)
  const results: CrowdResult[] = []
  for (const size of sizes) results.push(await crowd({ ...bench, warm }, size))
  const tables = `${goalTable(results.flatMap(judgeCrowd))}\n\n${resultTable(columns, results)}`
  if (options.document) document(tables, await describeMachine(cluster.direct), 'realtime')
  console.log(`\n${tables}`)
} finally {
  await close()
}
