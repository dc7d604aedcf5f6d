import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectDirect } from '../../server/kernel/db/index.ts'
import { hashPassword, useSigningKeys } from '../../server/modules/authentication/index.ts'
import { aTenant, type TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { Balancer } from '../faults/balancer.ts'
import { ServerProcess } from '../faults/processes.ts'
import { atLeast, none, type Goal } from '../faults/table.ts'
import { Caller, failedOf, newTally, overAndOver, type Tally } from './callers.ts'
import { Authority, serialShown } from './certificates.ts'
import { Nginx } from './nginx.ts'
import { Postgres } from './postgres.ts'
import { told, type Run } from './run.ts'
import { startReceiver, type Receiver } from './signed-receiver.ts'

const PASSWORD = 'correct horse battery staple'
/** Only over TLS, only with a password. */
const ACCESS = 'hostssl all all 127.0.0.1/32 scram-sha-256\n'
/** Requests that a part is judged by. */
const ENOUGH = 100
const aSecret = () => randomBytes(48).toString('base64url')
const aPassword = () => randomBytes(18).toString('hex')

/** All that can be renewed, as the next process is to have it. */
interface Keys {
  SECRET_KEY: string
  SECRET_KEY_FALLBACKS: string
  login: [name: string, password: string]
  owner: [name: string, password: string]
}

/**
 * Everything secret is renewed under load: nginx before two nodes before PostgreSQL, TLS on both ways, people who take
 * tickets, read, and sign in. No request may fail. Controls: each of them renewed as one would at first think.
 */
export async function rotation(run: Run): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'smartqueue-rotation-'))
  chmodSync(directory, 0o755)
  const stage = await Stage.set(run, directory)
  try {
    const goals: Record<string, Goal> = {}
    for (const part of [siteCertificate, databaseCertificate, databasePassword, signingKey, webhookSecret]) {
      if (run.signal.aborted) break
      Object.assign(goals, await part(stage, run))
    }
    run.note({
      ...goals,
      'servers that gave up': none(stage.gaveUp()),
    })
  } finally {
    await stage.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** nginx, two nodes and a database, with everybody at work. */
class Stage {
  tally = newTally()
  keys: Keys
  readonly receiver: Receiver
  readonly authority: Authority
  readonly postgres: Postgres
  readonly fixture: TenantFixture
  readonly balancer: Balancer
  nginx!: Nginx
  /** Signed with the keys of this process, which go with those of the nodes. */
  tokens!: { kiosk: string; admin: string }
  readonly #directory: string
  readonly #run: Run
  nodes: ServerProcess[] = []
  #all: ServerProcess[] = []
  #stops: (() => Promise<void>)[] = []

  private constructor(run: Run, directory: string, parts: Pick<Stage, (typeof PARTS)[number]>) {
    this.#run = run
    this.#directory = directory
    this.keys = parts.keys
    this.receiver = parts.receiver
    this.authority = parts.authority
    this.postgres = parts.postgres
    this.fixture = parts.fixture
    this.balancer = parts.balancer
  }

  static async set(run: Run, directory: string): Promise<Stage> {
    const authority = new Authority(directory, 'authority')
    const postgres = await Postgres.make(join(directory, 'postgres'), { access: ACCESS })
    const receiver = await startReceiver()
    const balancer = await Balancer.open([])
    let stage: Stage | undefined
    try {
      const fixture = await aTenant(postgres.query, { slug: 'rotation', counters: 3, agents: 3 })
      await postgres.query('update queues set number_last = 9999999, one_ticket_per_device = false')
      await postgres.query('update users set password_hash = $1', [await hashPassword(PASSWORD)])
      const keys: Keys = {
        SECRET_KEY: run.secretKey,
        SECRET_KEY_FALLBACKS: '',
        login: ['app_a', aPassword()],
        owner: ['ops_a', aPassword()],
      }
      stage = new Stage(run, directory, { keys, receiver, authority, postgres, fixture, balancer })
      await stage.makeLogins()
      showCertificate(postgres, authority)
      await postgres.query(`alter system set ssl = on`)
      await postgres.reload()
      stage.mintTokens()
      for (let i = 0; i < 2; i++) stage.nodes.push(await stage.startNode())
      balancer.use(stage.nodes.map(({ port }) => port))
      stage.nginx = await Nginx.start(join(directory, 'nginx'), balancer.port, authority.issue())
      await sleep(500)
      stage.#begin()
      return stage
    } catch (error) {
      balancer.close()
      await receiver.close()
      await Promise.all(stage?.nodes.map((node) => node.stop()) ?? [])
      await postgres.stop()
      throw error
    }
  }

  #begin() {
    const ca = readFileSync(this.authority.file, 'utf8')
    const { slug } = this.fixture.tenant
    const base = `/api/v1/tenants/${slug}`
    const callers = Array.from({ length: 5 }, () => new Caller(this.nginx.port, ca, () => this.tally))
    const queue = this.fixture.queues[0]!.id
    const take = (i: number) =>
      callers[i]!.ask('POST', `${base}/tickets/`, this.tokens.kiosk, { queue_id: queue, channel: 'kiosk' })
    const read = async (i: number) => {
      await callers[2 + i]!.ask('GET', `${base}/tickets/?limit=5`, this.tokens.admin)
      await callers[2 + i]!.ask('GET', `${base}/queues/${queue}/board/`, this.tokens.admin)
    }
    const signIn = async (i: number) => {
      const credentials = { email: `agent${i + 1}@${slug}.example`, password: PASSWORD, tenant: slug }
      const { body } = (await callers[4 + i]!.ask('POST', '/api/v1/auth/token/', undefined, credentials)) ?? {}
      if (body === undefined) return
      const { access } = JSON.parse(body) as { access: string }
      // A connection of another may lead to the other node.
      for (const other of [4, 2, 3]) await callers[other]!.ask('GET', '/api/v1/auth/session/', access)
    }
    this.#stops = [
      overAndOver(2, 40, async (i) => void (await take(i))),
      overAndOver(2, 60, read),
      overAndOver(1, 800, signIn),
      async () => callers.forEach((caller) => caller.close()),
    ]
  }

  /** Counts anew, from now on. */
  newTally(): Tally {
    return (this.tally = newTally())
  }

  /** What became of requests while `work` was done and a little longer. */
  async during(what: string, work: () => Promise<void>): Promise<Tally> {
    const tally = this.newTally()
    await sleep(400)
    await work()
    await sleep(this.#run.amount('seconds', 1.5, 8) * 1000)
    // On a machine with much else to do, until something has happened.
    for (let waited = 0; waited < 30_000 && tally.requests < ENOUGH; waited += 100) await sleep(100)
    this.newTally()
    // What was asked now must not meet what the next part does.
    while (tally.open > 0) await sleep(20)
    this.#run.say(
      `${what}: ${tally.requests} requests, ${failedOf(tally)} failed, ${tally.resent} resent, ${tally.putOff} put off${[...tally.failures].slice(0, 3).map(([kind, count]) => `\n      ${count} x ${kind}`)}`,
    )
    return tally
  }

  mintTokens(): void {
    useSigningKeys(this.keys.SECRET_KEY, this.keys.SECRET_KEY_FALLBACKS.split(',').filter(Boolean))
    this.tokens = { kiosk: tokenOf(this.fixture.kiosk, 3600), admin: tokenOf(this.fixture.admin, 3600) }
  }

  /** The logins of the keys, beside those that are there. */
  async makeLogins(): Promise<void> {
    const [login, owner] = [this.keys.login, this.keys.owner]
    await this.postgres.query(`create role ${login[0]} login noinherit in role sq_app password '${login[1]}'`)
    await this.postgres.query(`create role ${owner[0]} login superuser password '${owner[1]}'`)
  }

  settings(): Record<string, string> {
    const tls = `?sslmode=verify-full&sslrootcert=${encodeURIComponent(this.authority.file)}`
    const { SECRET_KEY, SECRET_KEY_FALLBACKS, login, owner } = this.keys
    return {
      SECRET_KEY,
      SECRET_KEY_FALLBACKS,
      DATABASE_URL: this.postgres.url(...login) + tls,
      DATABASE_DIRECT_URL: this.postgres.url(...owner) + tls,
      DATA_DIR: join(this.#directory, 'server'),
      RATE_LIMIT_FACTOR: '1000000',
      STOP_NOTICE_MS: '1000',
    }
  }

  async startNode(): Promise<ServerProcess> {
    const node = await ServerProcess.start(this.settings())
    this.#all.push(node)
    return node
  }

  /** Nodes with the keys as they are now take the places of those that are there, one after the other. */
  async roll(): Promise<void> {
    for (const old of this.nodes.slice()) {
      const node = await this.startNode()
      this.nodes = [...this.nodes.filter((each) => each !== old), node]
      this.balancer.use(this.nodes.map(({ port }) => port))
      await sleep(300)
      await old.stop()
    }
  }

  gaveUp(): number {
    return this.#all.reduce((sum, node) => sum + node.unexpectedEnds, 0)
  }

  async command(name: string): Promise<string> {
    const program = fileURLToPath(new URL('../../server/main.ts', import.meta.url))
    const child = spawn(process.execPath, [program, name], { env: this.settings(), stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)))
    const [code] = (await once(child, 'exit')) as [number]
    if (code !== 0) throw new Error(`smartqueue ${name}: ${output}`)
    return output.trim()
  }

  async end(): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()))
    await this.nginx.stop()
    this.balancer.close()
    await Promise.all(this.#all.map((node) => node.stop()))
    await this.receiver.close()
    await this.postgres.stop()
  }
}
const PARTS = ['keys', 'receiver', 'authority', 'postgres', 'fixture', 'balancer'] as const

/** Another certificate into the places where PostgreSQL looks. */
function showCertificate(postgres: Postgres, authority: Authority): void {
  const { certificate, key } = authority.issue()
  postgres.write('data/server.crt', certificate)
  postgres.write('data/server.key', key)
}

/** A quiet machine puts nobody off; one with much else to do does, whatever is renewed. */
const asUsual = (what: string, tally: Tally): Record<string, Goal> => ({
  [`${what}: requests`]: atLeast(ENOUGH, tally.requests),
  [`${what}: … failed`]: none(failedOf(tally)),
  [`${what}: … put off by 503, once, and then answered`]: told(tally.putOff),
})

async function siteCertificate(stage: Stage): Promise<Record<string, Goal>> {
  const { nginx, authority } = stage
  const before = await serialShown(nginx.port, 'https')
  const tally = await stage.during('certificate of the site', async () => {
    nginx.use(authority.issue())
    nginx.reload()
    await sleep(500)
  })
  const after = await serialShown(nginx.port, 'https')
  const control = await stage.during('control: nginx stopped and started', async () => {
    nginx.use(authority.issue())
    await nginx.stop()
    await nginx.run()
  })
  return {
    ...asUsual('certificate of the site', tally),
    'sent again because a kept connection was closed': told(tally.resent),
    'certificates of the site that were seen': atLeast(2, new Set([before, after]).size),
    'control: failed when nginx was started anew': atLeast(1, failedOf(control)),
  }
}

async function databaseCertificate(stage: Stage, run: Run): Promise<Record<string, Goal>> {
  const { postgres, authority } = stage
  const before = await serialShown(postgres.port, 'postgresql')
  const tally = await stage.during('certificate of PostgreSQL', async () => {
    showCertificate(postgres, authority)
    await postgres.reload()
    await sleep(500)
    // New nodes connect anew, and look at it.
    await stage.roll()
  })
  const after = await serialShown(postgres.port, 'postgresql')
  const stranger = new Authority(join(authority.file, '..'), `stranger-${run.seed}`)
  showCertificate(postgres, stranger)
  await postgres.reload()
  await sleep(500)
  const url = stage.settings()['DATABASE_DIRECT_URL']!
  const refused = await connectDirect(url).then(
    async (direct) => (await direct.close(), 0),
    () => 1,
  )
  showCertificate(postgres, authority)
  await postgres.reload()
  return {
    ...asUsual('certificate of PostgreSQL', tally),
    'certificates of PostgreSQL that were seen': atLeast(2, new Set([before, after]).size),
    'control: connections refused to one of another authority': atLeast(1, refused),
  }
}

async function databasePassword(stage: Stage): Promise<Record<string, Goal>> {
  const { postgres } = stage
  const sessionsOf = async (name: string) =>
    (
      await postgres.query<{ n: number }>('select count(*)::int as n from pg_stat_activity where usename = $1', [name])
    )[0]!.n
  const former = stage.keys
  let left = 0
  const tally = await stage.during('password of the database', async () => {
    stage.keys = { ...former, login: ['app_b', aPassword()], owner: ['ops_b', aPassword()] }
    await stage.makeLogins()
    await stage.roll()
    left = (await sessionsOf('app_a')) + (await sessionsOf('ops_a'))
    await postgres.query('alter role app_a nologin password null')
    await postgres.query('alter role ops_a nologin password null')
  })
  const [name] = stage.keys.login
  const control = await stage.during('control: the password of the login in use is changed', async () => {
    await postgres.query(`alter role ${name} password '${aPassword()}'`)
    await postgres.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [name])
    // Longer than whoever is put off waits.
    await sleep(5000)
    await postgres.query(`alter role ${name} password '${stage.keys.login[1]}'`)
    await sleep(1500)
  })
  return {
    ...asUsual('password of the database', tally),
    'sessions of the former logins left': none(left),
    'control: failed when it was changed in place': atLeast(1, failedOf(control)),
  }
}

async function signingKey(stage: Stage, run: Run): Promise<Record<string, Goal>> {
  const { SECRET_KEY: former } = stage.keys
  const next = aSecret()
  const webhook = await stage.receiver.register(stage)
  let resealed = 0
  const tally = await stage.during('signing key', async () => {
    // Every node knows the new one before any signs with it.
    stage.keys = { ...stage.keys, SECRET_KEY_FALLBACKS: next }
    await stage.roll()
    stage.keys = { ...stage.keys, SECRET_KEY: next, SECRET_KEY_FALLBACKS: former }
    await stage.roll()
    resealed = Number(/^(\d+) secrets/m.exec(await stage.command('reseal'))![1])
    // In life: until the last session that the former key began is over.
    stage.mintTokens()
    await sleep(1500)
    stage.keys = { ...stage.keys, SECRET_KEY_FALLBACKS: '' }
    await stage.roll()
  })
  const delivered = await webhook.settled(run.signal)
  const control = await stage.during('control: the key is replaced at once', async () => {
    const kept = stage.keys
    stage.keys = { ...kept, SECRET_KEY: aSecret() }
    await stage.roll()
    stage.keys = kept
    await stage.roll()
  })
  return {
    ...asUsual('signing key', tally),
    'stored secrets sealed anew': atLeast(1, resealed),
    'webhooks delivered meanwhile': atLeast(50, delivered.good),
    '… with a signature that is not right': none(delivered.bad),
    '… given up or waiting for another attempt': none(delivered.left),
    'control: failed when it was replaced at once': atLeast(1, failedOf(control)),
  }
}

async function webhookSecret(stage: Stage, run: Run): Promise<Record<string, Goal>> {
  const webhook = await stage.receiver.register(stage)
  const tally = await stage.during('secret of a webhook', async () => {
    await sleep(1000)
    const next = await webhook.rotate(24)
    // The receiver is given the new one later, when somebody has the time.
    await sleep(1500)
    webhook.believe(next)
    await sleep(1500)
  })
  const delivered = await webhook.settled(run.signal)
  const naive = await stage.receiver.register(stage)
  await naive.rotate(0)
  await sleep(1500)
  const control = await naive.settled(run.signal, 1000)
  return {
    ...asUsual('secret of a webhook', tally),
    'webhooks delivered while it was renewed': atLeast(20, delivered.good),
    '… with a signature that the receiver did not know': none(delivered.bad),
    '… given up, or waiting for another attempt': none(delivered.left),
    'control: signatures not known without an overlap': atLeast(1, control.bad),
  }
}
