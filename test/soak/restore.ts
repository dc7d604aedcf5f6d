import { once } from 'node:events'
import { chownSync, mkdirSync, statSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  baseBackup,
  connectDirect,
  dump,
  hold,
  load,
  receiveLog,
  recover,
  release,
  renewEpochs,
  startEmbedded,
  type Direct,
  type Embedded,
} from '../../server/kernel/db/index.ts'
import { sealSecret } from '../../server/modules/webhooks/index.ts'
import { aTenant, type TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { loadConfig } from '../../server/config.ts'
import { inspect } from '../../server/transports/cli/backup/verify.ts'
import { Api } from '../faults/api.ts'
import { startDatabase } from '../faults/database.ts'
import { postmasterPid, ServerProcess } from '../faults/processes.ts'
import { freePort } from '../faults/proxy.ts'
import { pastTickets } from './history.ts'
import { atLeast, atMost, none } from '../faults/table.ts'
import { round, told, type Run } from './run.ts'
import { takers } from './takers.ts'

/** Reads of the API whose answers must be the same bytes on the original and on the copy. */
const READS = [
  '/sites/',
  '/services/',
  '/queues/',
  '/counters/',
  '/agents/',
  '/customers/',
  '/webhooks/',
  '/users/',
  '/queue-rules/',
  '/tickets/?status=terminé&limit=50',
  '/tickets/?ordering=created_at&limit=50',
] as const

/**
 * The restore drill: a server with months of tickets is lost under traffic. How much is gone after recovering from the base
 * backup and the log; how long a logical backup takes to come back; whether the copy is the same, and silent.
 */
export async function restore(run: Run): Promise<void> {
  const { secretKey, say, note } = run
  const tickets = run.amount('tickets', 20_000, 1_000_000)
  const database = await startDatabase()
  const at = (name: string) => join(database.directory, name)
  const settings = {
    DATABASE_URL: database.url,
    DATABASE_DIRECT_URL: database.directUrl,
    SECRET_KEY: secretKey,
    DATA_DIR: database.directory,
  }
  const closers: (() => Promise<unknown> | void)[] = []
  try {
    const fixture = await aTenant(database.owner, { slug: 'drill', queues: 2, counters: 2, agents: 2 })
    await aTenant(database.owner, { slug: 'other', queues: 1 })
    await database.owner('update queues set number_last = 9999999')
    let since = performance.now()
    await pastTickets(database.owner, fixture, tickets)
    say(`${tickets} tickets of past days in ${elapsed(since)} s`)

    const ending = new AbortController()
    const receiving = receiveLog(database.directUrl, { directory: at('log'), signal: ending.signal })
    closers.push(() => (ending.abort(), receiving))
    since = performance.now()
    await baseBackup(database.directUrl, at('base'), 'drill')
    const baseSeconds = elapsed(since)
    say(`base backup of ${mebibytes(at('base'))} MiB in ${baseSeconds} s`)

    const server = await ServerProcess.start(settings, 'api,realtime')
    closers.push(() => server.stop())
    const visitors = takers([server.port], fixture, 8)
    await sleep(run.isQuick ? 3000 : 10_000)
    since = performance.now()
    const manifest = await dump(database.directUrl, at('logical'), 'drill')
    const dumpSeconds = elapsed(since)
    say(`logical backup under traffic, ${mebibytes(at('logical'))} MiB in ${dumpSeconds} s`)
    await sleep(2000)

    // The machine is gone, and its disk with it: from here on only what was received counts.
    const lostAt = performance.now()
    process.kill(postmasterPid(at('postgres/data'))!, 'SIGKILL')
    ending.abort()
    await receiving
    await visitors.stop()
    await server.stop()
    const taken = visitors.takes.filter((take) => take.at <= lostAt)

    since = performance.now()
    const recovered = await startRecovered(database.directory, 'recovered', { base: at('base'), log: at('log') })
    closers.push(() => recovered.close())
    const recoverSeconds = elapsed(since)
    const kept = new Set(await ticketIds(recovered))
    const missing = taken.filter(({ id }) => !kept.has(id))
    say(`recovered in ${recoverSeconds} s: ${missing.length} of ${taken.length} acknowledged tickets missing`)
    const baseAlone = await startRecovered(database.directory, 'base-alone', { base: at('base') })
    const inBase = new Set(await ticketIds(baseAlone))
    await baseAlone.close()

    const copy = await startEmbedded({ directory: at('copy') })
    closers.push(() => copy.close())
    since = performance.now()
    await load(copy.directUrl, at('logical'))
    const loadSeconds = elapsed(since)
    await withDirect(copy, async ({ query }) => {
      await renewEpochs(query)
      await hold(query)
    })
    say(`logical restore in ${loadSeconds} s`)
    const config = loadConfig({ SECRET_KEY: secretKey, DATA_DIR: at('inspection'), LOG_LEVEL: 'error' }, at('.'))
    since = performance.now()
    const verdict = await inspect(copy, config, manifest)
    say(`verified in ${elapsed(since)} s`)
    const filtered = await rowsSeenBehindPolicies(copy)

    const silence = await sends(run, copy, fixture, { ...settings, DATA_DIR: at('copy-data') })
    const answersBefore = await answersOf(recovered, fixture, { ...settings, DATA_DIR: at('recovered-data') })
    const second = await startRecovered(database.directory, 'second', { base: at('base'), log: at('log') })
    const answersAfter = await answersOf(second, fixture, { ...settings, DATA_DIR: at('second-data') })
    await second.close()

    note({
      tickets: atLeast(tickets, manifest.tables.find(({ name }) => name === 'tickets')!.rows),
      'rows of the logical backup': atLeast(
        5 * tickets,
        manifest.tables.reduce((sum, { rows }) => sum + rows, 0),
      ),
      'seconds of the backup, under traffic': atMost(600, dumpSeconds),
      'seconds to restore it': atMost(600, loadSeconds),
      'tables that differ from the manifest': none(verdict.differing.length),
      'audit logs that do not hold': none(verdict.brokenLogs.length),
      'reads of the program on the copy': atLeast(80, verdict.answers),
      '… that failed': none(verdict.failures.length),
      'control: tickets that a dump behind the policies would have': atMost(tickets - 1, filtered),
      'acknowledged tickets when the server was lost': atLeast(100, taken.length),
      '… missing after recovery from base and log': told(missing.length),
      'seconds of acknowledged writes lost': atMost(
        60,
        missing.length ? round((lostAt - missing[0]!.at) / 1000, 2) : 0,
      ),
      'control: missing from the base backup alone': atLeast(100, taken.filter(({ id }) => !inBase.has(id)).length),
      'seconds of the base backup': told(baseSeconds),
      'seconds to recover from base and log': atMost(600, recoverSeconds),
      'answers of the API compared': atLeast(10, answersBefore.length),
      '… that differ between two recoveries': none(
        answersBefore.filter((answer, i) => answer !== answersAfter[i]).length,
      ),
      'webhooks heard from the held copy': none(silence.held),
      'control: heard once it is released': atLeast(1, silence.released),
    })
  } finally {
    for (const close of closers.toReversed()) await close()
    await database.close()
  }
}

const elapsed = (since: number) => round((performance.now() - since) / 1000)
const mebibytes = (directory: string) =>
  round(readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0) / 1048576)

async function withDirect<T>(
  { directUrl }: Pick<Embedded, 'directUrl'>,
  use: (direct: Direct) => Promise<T>,
): Promise<T> {
  const direct = await connectDirect(directUrl)
  try {
    return await use(direct)
  } finally {
    await direct.close()
  }
}

/** A PostgreSQL on a recovered data directory, when it takes writes. */
async function startRecovered(
  directory: string,
  name: string,
  from: { base: string; log?: string },
): Promise<Embedded> {
  const home = join(directory, name)
  mkdirSync(home, { mode: 0o700 })
  const { uid, gid } = statSync(join(directory, 'postgres'))
  if (process.getuid?.() === 0) chownSync(home, uid, gid)
  await recover({ ...from, dataDirectory: join(home, 'data') })
  const server = await startEmbedded({ directory: home })
  await withDirect(server, async ({ query }) => {
    while ((await query<{ busy: boolean }>('select pg_is_in_recovery() as busy'))[0]!.busy) await sleep(50)
  })
  return server
}

const ticketIds = (server: Embedded): Promise<number[]> =>
  withDirect(server, async ({ query }) =>
    (await query<{ id: number }>('select id from tickets where created_at > current_date - 1')).map(({ id }) => id),
  )

/** Control: what a dump reads as the application's role, with a tenant set, where nothing refuses it. */
const rowsSeenBehindPolicies = (server: Embedded): Promise<number> =>
  withDirect(server, async ({ query }) => {
    await query(
      `set role sq_app; select set_config('app.current_tenant_id', (select max(id)::text from tenants), false)`,
    )
    return (await query<{ count: number }>('select count(*) as count from tickets'))[0]!.count
  })

async function answersOf(
  server: Embedded,
  fixture: TenantFixture,
  settings: Record<string, string>,
): Promise<string[]> {
  const node = await ServerProcess.start(
    { ...settings, DATABASE_URL: server.url, DATABASE_DIRECT_URL: server.directUrl },
    'api',
  )
  const api = new Api(node.port, fixture.tenant.slug)
  const admin = tokenOf(fixture.admin, 3600)
  try {
    const answers: string[] = []
    for (const path of READS) {
      const { status, body } = await api.get(encodeURI(path), admin)
      if (status !== 200) throw new Error(`${path}: ${status} ${body}`)
      answers.push(body)
    }
    return answers
  } finally {
    api.close()
    await node.stop()
  }
}

/** Somebody takes a ticket on the copy while its webhook listens: before it is released, and after. */
async function sends(run: Run, server: Embedded, fixture: TenantFixture, settings: Record<string, string>) {
  let heard = 0
  const http = createServer((request, response) => {
    request.resume()
    heard++
    response.end()
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`
  await withDirect(server, ({ query }) =>
    query(
      `with added as (insert into webhooks (tenant_id, url, secret) values ($1, $2, $3) returning id)
       insert into webhook_cursors (tenant_id, site_id, epoch, "offset", at)
       select tenant_id, site_id, epoch, last_offset, now() from streams where tenant_id = $1 on conflict do nothing`,
      [fixture.tenant.id, address, sealSecret(`whsec_${Buffer.alloc(32, 7).toString('base64')}`)],
    ),
  )
  async function listen(patienceMs: number): Promise<number> {
    heard = 0
    const node = await ServerProcess.start({
      ...settings,
      DATABASE_URL: server.url,
      DATABASE_DIRECT_URL: server.directUrl,
      METRICS_PORT: String(await freePort()),
    })
    const api = new Api(node.port, fixture.tenant.slug)
    const take = () =>
      api.post('/tickets/', tokenOf(fixture.kiosk, 3600), { queue_id: fixture.queues[0]!.id, channel: 'kiosk' })
    try {
      for (let waited = 0; waited < patienceMs && heard === 0; waited += 500) {
        const { status, body } = await take()
        if (status !== 201) throw new Error(`a ticket is not taken: ${status} ${body}`)
        await sleep(500)
      }
      return heard
    } finally {
      api.close()
      await node.stop()
    }
  }
  try {
    const held = await listen(8000)
    run.say(`the held copy sent ${held} messages`)
    await withDirect(server, ({ query }) => release(query))
    return { held, released: await listen(30_000) }
  } finally {
    http.close()
    http.closeAllConnections()
  }
}
