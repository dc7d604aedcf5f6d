/**
 * `npm run test:security [-- --only fuzz] [--inputs <n>] [--seed <n>]`: a real server on a real
 * database, attacked by whoever has a token, and by whoever has none. Prints figures against their goals; exit code 1 when
 * one is not met. Each attack is made on a naive server too, where it has to succeed.
 */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { useSigningKeys } from '../../server/modules/authentication/index.ts'
import { operations } from '../../server/modules/index.ts'
import { boundedRun } from '../faults/bounded.ts'
import { startDatabase, type FaultDatabase } from '../faults/database.ts'
import { ServerProcess } from '../faults/processes.ts'
import { freePort } from '../faults/proxy.ts'
import { tests } from './tests.ts'
import { atLeast, atMost, none } from '../faults/table.ts'
import { canaries } from './canaries.ts'
import { Client } from './client.ts'
import { fuzz } from './fuzz.ts'
import { graphqlAbuse } from './graphql.ts'
import { matrix } from './matrix.ts'
import { startNaiveServer } from './naive-server.ts'
import { nginxPath, smuggling, type SmugglingReport } from './smuggling.ts'
import { hasSqlmap, sql } from './sql.ts'
import { furnishedWorld, hashesOf, idsOf, type World } from './world.ts'

const SCENARIOS = ['matrix', 'graphql', 'smuggling', 'uploads', 'ssrf', 'sql', 'fuzz'] as const
/** On a machine with nothing else to do a third of it is enough. */
const MAX_SECONDS = 1800
const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: SCENARIOS.join(',') },
    inputs: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
})
const only = options.only.split(',')
for (const name of only) if (!(SCENARIOS as readonly string[]).includes(name)) throw new Error(`no scenario ${name}`)
const seed = Number(options.seed)
const { signal, say, note, finish } = boundedRun(MAX_SECONDS)

/** Where TLS ends before the server, on this machine. */
const PRODUCTION = {
  NODE_ENV: 'production',
  ALLOWED_HOSTS: '127.0.0.1,localhost',
  PUBLIC_URL: 'https://localhost',
  SECURE_SSL_REDIRECT: 'false',
}

interface Ground {
  database: FaultDatabase
  server: ServerProcess
  client: Client
  world: World
  startWorker(): Promise<ServerProcess>
  /** Another server on the same database, as an operator would set it up. */
  startProduction(settings?: Record<string, string>): Promise<ServerProcess>
}

/** Whoever fuzzes may have closed the account or the organisation that they fuzz from. */
const repairOf =
  ({ world: { owner, own } }: Ground) =>
  () =>
    owner(
      `with people as (
         update memberships set is_active = true, site_ids = null, queue_ids = null where tenant_id = $1
         returning user_id),
       closed as (update tenants set is_active = true, take_challenge = 'never' where id = $1)
       update users set is_active = true where id in (select user_id from people)`,
      [own.tenant.id],
    )

async function fuzzed(ground: Ground) {
  const { world, client } = ground
  const common = { world, seed, signal, repair: repairOf(ground) }
  const report = await fuzz({
    ...common,
    operations,
    client,
    inputs: Number(options.inputs),
    found: (line) => say(`fuzz: ${line}`),
    progress: (line) => say(`fuzz: ${line}`),
  })
  const naive = await startNaiveServer([world.own.canary, world.other.canary])
  const naiveClient = new Client(naive.port)
  const control = await fuzz({
    ...common,
    operations: operations.filter(({ id }) => id.startsWith('customers.')),
    client: naiveClient,
    inputs: 20,
    found: () => {},
  })
  naiveClient.close()
  await naive.close()
  note('fuzz', {
    'operations tried': [report.operations, { is: operations.length }],
    '… that did their work at least once': atLeast(200, report.worked),
    requests: atLeast(25_000, report.requests),
    ...Object.fromEntries(Object.entries(report.faults).map(([kind, count]) => [kind, none(count)])),
    'not answered': none(report.unanswered),
    'slowest answer in ms': atMost(10_000, report.slowestMs),
    'tables of the other organisation that changed': none(report.changed.length),
    'servers that ended': none(ground.server.unexpectedEnds),
    'control: answers 5xx of a naive server': atLeast(1, control.faults['answer 5xx']),
    'control: … that tell its inside': atLeast(1, control.faults['inside told outside'] + control.faults['answer 5xx']),
    'control: … with rows of others': atLeast(1, control.faults['canary of another organisation']),
  })
}

async function matrixed(ground: Ground) {
  const { world, client, startWorker } = ground
  const { owner, other } = world
  const name = 'matrix'
  const found = (line: string) => say(`${name}: ${line}`)
  const common = { world, operations, signal, repair: repairOf(ground) }
  const before = await hashesOf(world, other)
  const report = await matrix({ ...common, client, found })
  let after = before
  const elsewhere = await canaries({
    world,
    client,
    found,
    // Background work is for everybody, so rows are compared before it begins.
    async startWorker() {
      after = await hashesOf(world, other)
      return startWorker()
    },
  })
  const differing = (one: typeof before, two: typeof before) =>
    [...one].filter(([each, hash]) => two.get(each) !== hash).map(([each]) => each)
  const changed = differing(before, after)
  for (const each of changed) found(`rows of another organisation changed in ${each}`)
  const empty = [...before.values()].filter((hash) => hash === '').length
  // The control: one letter in one row.
  const unchanged = await hashesOf(world, other)
  await owner(`update services set name = name || 'x' where tenant_id = $1`, [other.tenant.id])
  const numbers = new Set([...(await idsOf(world, other)).values()].flat())
  const naive = await startNaiveServer([other.canary], numbers)
  const naiveClient = new Client(naive.port)
  const control = await matrix({
    ...common,
    operations: operations.filter(({ id }) => id.startsWith('customers.')),
    client: naiveClient,
    found: () => {},
  })
  naiveClient.close()
  await naive.close()
  note(name, {
    operations: [report.operations, { is: operations.length }],
    'places in their inputs that name a row': atLeast(300, report.references),
    'pairs: another’s number and nobody’s': atLeast(1000, report.pairs),
    '… told apart': none(report.told),
    '… answered otherwise than 404': none(report.notMissing),
    'operations below another’s name and below nobody’s': atLeast(500, report.slugs),
    '… told apart, or not 404': none(report.slugsTold),
    'GraphQL: fields with another’s number': atLeast(200, elsewhere.fields),
    '… told apart over GraphQL': none(elsewhere.fieldsTold),
    'feeds over WebSocket and Server-Sent Events': atLeast(12, elsewhere.feeds),
    '… told apart by feeds': none(elsewhere.feedsTold),
    'GraphQL: subscriptions': atLeast(3, elsewhere.subscriptions),
    '… told apart by subscriptions': none(elsewhere.subscriptionsTold),
    'exported files': atLeast(2, elsewhere.exports),
    'canaries of the other organisation': none(report.canaries + elsewhere.canaries),
    'not answered': none(report.unanswered),
    'tables of the other organisation with rows': atLeast(45, before.size - empty),
    '… that changed': none(changed.length),
    'control: one changed letter is seen': [differing(unchanged, await hashesOf(world, other)).length, { is: 1 }],
    'control: own words found in files': atLeast(1, elsewhere.exportsRead),
    'control: told apart by a naive server': atLeast(1, control.told + control.slugsTold),
    'control: canaries of a naive server': atLeast(1, control.canaries),
  })
}

async function abused({ client, world, startProduction }: Ground) {
  const server = await startProduction()
  const production = new Client(server.port)
  const report = await graphqlAbuse({ world, client, production, found: (line) => say(`graphql: ${line}`) })
  production.close()
  await server.stop()
  note('graphql', {
    'documents that ask too much': atLeast(20, report.attacks),
    '… granted': none(report.granted),
    '… answered 5xx': none(report.faults),
    'slowest refusal in ms': atMost(2000, report.slowestMs),
    'longest that an ordinary request waited, in ms': atMost(3000, report.othersWaitedMs),
    'subscriptions that one socket got of 80': atMost(50, report.subscriptions),
    '… at least': atLeast(1, report.subscriptions),
    'what production told of its schema': none(report.schemaTold),
    'control: granted by the library alone': atLeast(5, report.controlGranted),
  })
}

async function smuggled({ database, server, world, startProduction }: Ground) {
  if (!nginxPath()) return say('smuggling: left out, because nginx is not there (apt-get install nginx-light)')
  const counted = { RATE_LIMIT_FACTOR: '1' }
  const proxied = await startProduction({ ...counted, TRUSTED_PROXIES: '127.0.0.1' })
  const started = [proxied]
  let report: SmugglingReport
  try {
    const credulous = await startProduction({ ...counted, TRUSTED_PROXIES: '0.0.0.0/1,128.0.0.0/1' })
    started.push(credulous)
    report = await smuggling({
      world,
      directory: database.directory,
      behindProxy: proxied.port,
      credulous: credulous.port,
      port: server.port,
      freePort,
      found: (line) => say(`smuggling: ${line}`),
    })
  } finally {
    await Promise.all(started.map((each) => each.stop()))
  }
  note('smuggling', {
    'ways to hide a request, through nginx and without': atLeast(60, report.attacks),
    '… hidden requests that were answered': none(report.smuggled),
    '… answered 5xx': none(report.faults),
    'requests of others in between': atLeast(120, report.victims),
    '… that were disturbed': none(report.victimsDisturbed),
    'headers that chose another organisation': none(report.tenantSpoofed),
    'of 100 requests that each name another address, let in of 60': atMost(65, report.admitted),
    'control: hidden requests that a naive server answers': atLeast(5, report.controlSmuggled),
    'control: let in by a server that believes everybody': atLeast(100, report.controlAdmitted),
    'servers that ended': none(started.reduce((sum, each) => sum + each.unexpectedEnds, 0)),
  })
}

/** Rows of the tables as they are: one that is skipped, or taken out, is missed. */
const ROWS = { uploads: 15, ssrf: 41 }

/** Tables that every run of the tests has as well, with their controls. */
async function tabled(name: keyof typeof ROWS, files: readonly string[]) {
  const { passed, failed } = await tests(files, signal)
  note(name, { 'rows of the table that hold': atLeast(ROWS[name], passed), '… that do not': none(failed) })
}

async function injected({ database, server, world }: Ground) {
  if (!hasSqlmap()) return say('sql: left out, because sqlmap is not there (apt-get install sqlmap)')
  const { directory, directUrl } = database
  const report = await sql({
    world,
    operations,
    port: server.port,
    directUrl,
    directory,
    signal,
    progress: (line) => say(`sql: ${line}`),
  })
  note('sql', {
    lists: atLeast(30, report.lists),
    'ways out of a statement, in their closed filters': atLeast(200, report.closed.asked),
    '… not refused': none(report.closed.granted),
    'orderings, cursors and filters for text that sqlmap tried': atLeast(60, report.parameters),
    '… injectable': none(report.injectable),
    'answers 500': none(report.internal),
    'control: injectable in a naive list': atLeast(1, report.controlInjectable),
  })
}

async function run() {
  const secretKey = randomBytes(48).toString('base64url')
  useSigningKeys(secretKey)
  if (only.includes('uploads')) await tabled('uploads', ['server/modules/media/media.test.ts'])
  if (only.includes('ssrf') && !signal.aborted)
    await tabled('ssrf', ['server/kernel/http.test.ts', 'server/modules/webhooks/webhooks.test.ts'])
  if (signal.aborted || only.every((name) => name === 'uploads' || name === 'ssrf')) return
  say('starting PostgreSQL and a server')
  const database = await startDatabase()
  const settings = {
    DATABASE_URL: database.url,
    DATABASE_DIRECT_URL: database.directUrl,
    SECRET_KEY: secretKey,
    DATA_DIR: database.directory,
    RATE_LIMIT_FACTOR: '100000',
  }
  let server: ServerProcess | undefined
  try {
    // Without jobs, which would change rows while they are compared.
    server = await ServerProcess.start(settings, 'api,realtime')
    const client = new Client(server.port)
    const world = await furnishedWorld(database.owner, client)
    const ground: Ground = {
      database,
      server,
      client,
      world,
      startWorker: async () => ServerProcess.start({ ...settings, METRICS_PORT: String(await freePort()) }, 'worker'),
      startProduction: (more = {}) => ServerProcess.start({ ...settings, ...PRODUCTION, ...more }, 'api,realtime'),
    }
    if (only.includes('matrix')) await matrixed(ground)
    if (only.includes('graphql') && !signal.aborted) await abused(ground)
    if (only.includes('smuggling') && !signal.aborted) await smuggled(ground)
    if (only.includes('sql') && !signal.aborted) await injected(ground)
    if (only.includes('fuzz') && !signal.aborted) await fuzzed(ground)
    client.close()
  } catch (error) {
    if (server) console.error(server.output)
    throw error
  } finally {
    await server?.stop()
    await database.close()
  }
}

await finish(run)
