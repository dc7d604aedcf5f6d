import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectDirect, startEmbedded, type Direct } from '../../server/kernel/db/index.ts'
import { aTenant } from '../../server/test/factories.ts'
import { Balancer } from '../faults/balancer.ts'
import { ServerProcess } from '../faults/processes.ts'
import { atLeast, none } from '../faults/table.ts'
import { round, told, type Run } from './run.ts'
import { failed, traffic } from './traffic.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()

/** Until there is a release to come from: before the log was laid in parts, which asks more of a running version than any other. */
const FIRST = 'db/migrations/000093_*'

/**
 * Two versions side by side: the one without the migrations from `FIRST` on (or that of `--from <commit>`), and this one.
 * Under traffic the schema is migrated, nodes are replaced one after the other, and then the old version comes back beside
 * the new schema. No request may fail. Control: a migration that renames what the old version uses.
 */
export async function upgrade({ isQuick, secretKey, say, note, word }: Run): Promise<void> {
  const added = git('log', '--diff-filter=A', '--no-renames', '--format=%H', '--', FIRST).split('\n').at(-1)
  const from = git('rev-parse', '--short', word('from') ?? `${added}^`)
  const directory = mkdtempSync(join(tmpdir(), 'smartqueue-upgrade-'))
  chmodSync(directory, 0o755)
  const old = join(directory, 'old')
  mkdirSync(old)
  execFileSync('sh', ['-c', `git archive ${from} | tar -x -C '${old}'`], { cwd: ROOT })
  symlinkSync(join(ROOT, 'node_modules'), join(old, 'node_modules'))
  say(`the version before is ${from}`)
  const database = await startEmbedded({ directory: join(directory, 'postgres') })
  const owner: Direct['query'] = async (text, values) => {
    const direct = await connectDirect(database.directUrl)
    return direct.query(text, values).finally(() => direct.close()) as Promise<never>
  }
  const settings = {
    DATABASE_URL: database.url,
    DATABASE_DIRECT_URL: database.directUrl,
    SECRET_KEY: secretKey,
    DATA_DIR: join(directory, 'data'),
    STOP_NOTICE_MS: '1000',
  }
  const programs = { old: join(old, 'server/main.ts'), new: join(ROOT, 'server/main.ts') }
  const command = async (version: 'old' | 'new', name: string) => {
    const child = spawn(process.execPath, [programs[version], name], {
      env: settings,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)))
    const [code] = (await once(child, 'exit')) as [number]
    if (code !== 0) say(`${version} ${name}: ${output.trim()}`)
    return { code, output }
  }
  const applied = async () => (await owner<{ n: number }>('select count(*)::int as n from schema_migrations'))[0]!.n
  const running: ServerProcess[] = []
  const start = async (version: 'old' | 'new') => {
    const server = await ServerProcess.start(settings, 'api,realtime', programs[version])
    running.push(server)
    return server
  }
  let balancer: Balancer | undefined
  try {
    await command('old', 'migrate')
    const before = await applied()
    const fixture = await aTenant(owner, { slug: 'rolling', queues: 1, counters: 3, agents: 3 })
    await owner('update queues set number_last = 9999999')
    const nodes = [await start('old'), await start('old')]
    const open = (balancer = await Balancer.open(nodes.map(({ port }) => port)))
    await sleep(500)
    const load = traffic(open.port, fixture, 15)
    const rest = () => sleep(isQuick ? 1000 : 4000)
    const phases: string[] = []
    const phase = async (name: string, work: () => Promise<void>) => {
      const [requests, failures, putOff] = [load.requests, failed(load), load.putOff]
      await work()
      await rest()
      phases.push(
        `${name}: ${load.requests - requests} requests, ${failed(load) - failures} failed, ${load.putOff - putOff} put off`,
      )
      say(phases.at(-1)!)
    }
    /** Its successor is ready before it goes. */
    const replace = (index: number, version: 'old' | 'new') =>
      phase(`node ${index + 1} is of the ${version} version`, async () => {
        const [leaving, coming] = [nodes[index]!, await start(version)]
        nodes[index] = coming
        open.use([...nodes, leaving].map(({ port }) => port))
        await sleep(500)
        await leaving.stop()
        open.use(nodes.map(({ port }) => port))
      })
    await phase('the old version alone', async () => {})
    const doctorBefore = await command('old', 'doctor')
    await phase('migrating', async () => void (await command('new', 'migrate')))
    const migrations = (await applied()) - before
    say(`${migrations} migrations`)
    await replace(0, 'new')
    await replace(1, 'new')
    const doctorAfter = await command('new', 'doctor')
    await replace(0, 'old')
    await replace(1, 'old')
    const rolledBack = load.requests
    const kinds = [...load.failures.keys()]
    const [failures, { putOff }] = [failed(load), load]
    await owner('alter table tickets rename column note to remark')
    await sleep(1500)
    const broken = failed(load) - failures
    await load.stop()
    for (const kind of kinds.slice(0, 5)) say(kind)
    note({
      'migrations between the two versions': atLeast(1, migrations),
      'requests while both ran and after going back': atLeast(isQuick ? 500 : 2000, rolledBack),
      '… failed': none(failures),
      '… put off by 503, once, and then answered': told(putOff),
      'tickets taken': atLeast(100, load.taken),
      'tickets called': atLeast(50, load.called),
      'ms without a good answer, longest': told(round(load.longestGapMs, 0)),
      'doctor before and after, problems': none(doctorBefore.code + doctorAfter.code),
      'control: failed after a rename under the old version': atLeast(1, broken),
    })
  } finally {
    balancer?.close()
    await Promise.all(running.map((server) => server.stop()))
    await database.close()
    rmSync(directory, { recursive: true, force: true })
  }
}
