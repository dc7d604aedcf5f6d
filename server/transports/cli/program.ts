import { flushCompileCache } from 'node:module'
import { Command } from 'commander'
import packageJson from '../../../package.json' with { type: 'json' }
import type { LoginFlags } from './developer/login.ts'
import type { ReplayOptions } from '../../replay/index.ts'
import { processConfig } from '../../config.ts'
import { sweepCompiledCodeLater } from './compiled-code.ts'
import { complain, describe, print, terminalLocale } from './output.ts'
import { refusal, thrown } from './refusals.ts'

/**
 * `smartqueue`: the server and everything it can do. A command loads what it needs, so that each answers at once. What
 * cannot be done is told on standard error, and the process ends with 1.
 * @param argv the words after the program's name
 */
export async function smartqueue(argv: readonly string[]): Promise<void> {
  try {
    if (/^[a-z][a-z-]*\.[a-zA-Z]+$/.test(argv[0] ?? '')) {
      const { runOperation } = await import('./operations.ts')
      return await runOperation(argv)
    }
    await program().parseAsync(['node', 'smartqueue', ...argv])
  } catch (error) {
    const refused = refusal(error, terminalLocale())
    if (refused === '') return
    complain(refused ?? describe(error))
    process.exitCode = 1
  }
}

function program(): Command {
  const program = thrown(new Command('smartqueue')).description(packageJson.description).version(packageJson.version)
  program.addHelpText(
    'after',
    '\nEvery operation is a command too: `smartqueue operations` lists them, `smartqueue <operation> --help` explains one.',
  )
  addServerCommands(program)
  addAdministration(program)
  addBackups(program)
  addInspection(program)
  addDevelopment(program)
  return program
}

interface Listen {
  port?: string
  host?: string
}
const settingsOf = ({ port, host }: Listen) => ({ ...(port && { PORT: port }), ...(host && { HOST: host }) })

function addServerCommands(program: Command) {
  program
    .command('serve')
    .description('serve HTTP and live feeds, and run background jobs')
    .option('--roles <list>', 'of api, realtime, worker', 'api,realtime,worker')
    .option('--port <number>', 'default 8000')
    .option('--host <address>')
    .action(async ({ roles, ...listen }: Listen & { roles: string }) => {
      const { parseRoles, start, stopWithGrace } = await import('./serve.ts')
      const config = processConfig(settingsOf(listen))
      const serving = await start(config, parseRoles(roles))
      stopWithGrace(serving, config)
      print(`SmartQueue ${packageJson.version}: ${roles}${roles.trim() === 'worker' ? '' : ` on ${serving.url}`}`)
      // At its end it would be kept too, but a server that is killed is the one that has to be back soon.
      flushCompileCache()
      sweepCompiledCodeLater()
    })
  program
    .command('demo')
    .description('serve three demo organisations in which a real day is played')
    .option('--port <number>', 'default 8000')
    .option('--speed <factor>', 'virtual seconds per real second', '20')
    .option('--no-day', 'do not play the day')
    .action(async ({ speed, day, ...listen }: Listen & { speed: string; day: boolean }) => {
      const { demo } = await import('./demo.ts')
      if (!(Number(speed) > 0)) throw new Error('--speed is a number above 0')
      await demo(processConfig(settingsOf(listen)), { speed: Number(speed), isPlayed: day })
      sweepCompiledCodeLater()
    })
  program
    .command('replay')
    .description(
      'play a trace against a running server and check what everybody saw; its site stays, for the next time',
    )
    .argument('<trace.csv.gz>')
    .option('--tenant <slug>', 'organisation', 'demo-bank')
    .option('--email <address>', 'of an administrator', 'admin@demo-bank.example')
    .option('--password <password>', 'default the demo’s')
    .option('--base-url <url>', 'server', 'http://localhost:8000')
    .option('--speed <factor>', 'virtual seconds per real second at most, or max', '600')
    .option(
      '--from <instant>',
      'day or instant of the trace: 2020-01-13, 2020-01-13T10:00, or 3 for its third active day',
    )
    .option('--until <instant>', 'exclusive instant, or the last day played')
    .option('--days <count>', 'at most so many active days', Number)
    .option('--tickets <count>', 'at most so many tickets', Number)
    .option('--racers <count>', 'free agents that race for each ticket', Number)
    .option('--visitors <n>', 'every n-th visitor follows the own ticket; 0 nobody', Number)
    .option('--drop-every <events>', 'cut observers after so many events; 0 never', Number)
    .option('--json', 'print the report as JSON')
    .action(async (trace: string, { speed, ...options }: ReplayFlags) => {
      const [{ replay }, { DEMO_PASSWORD }] = await Promise.all([
        import('../../replay/index.ts'),
        import('../../../db/seed.ts'),
      ])
      const pace = speed === 'max' ? speed : Number(speed)
      process.exitCode = await replay(
        { ...options, password: options.password ?? DEMO_PASSWORD, trace, speed: pace },
        process.stdout,
      )
    })
  program
    .command('eta-replay')
    .description('print what the wait-time predictor tells in a trace, as JSON lines')
    .argument('<trace.csv.gz>')
    .option('--live', 'ask once during each wait of more than 2 minutes instead of at arrival')
    .action(async (trace: string, { live }: { live?: boolean }) => {
      const { replayEstimates } = await import('../../replay/estimates/index.ts')
      replayEstimates(trace, live ?? false, process.stdout)
    })
}
type ReplayFlags = Omit<ReplayOptions, 'trace' | 'speed' | 'password'> & { speed: string; password?: string }

function addAdministration(program: Command) {
  program
    .command('migrate')
    .description('bring the database up to date')
    .action(async () => {
      const { migrateDatabase } = await import('./administration.ts')
      await migrateDatabase(processConfig())
    })
  program
    .command('reseal')
    .description('seal stored secrets with SECRET_KEY, before a former key leaves SECRET_KEY_FALLBACKS')
    .action(async () => {
      const { reseal } = await import('./administration.ts')
      await reseal(processConfig())
    })
  program
    .command('createsuperuser')
    .description('make an operator of the platform; asks for what is not given')
    .option('--email <address>')
    .option('--name <name>')
    .option('--password <password>')
    .action(async (given: { email?: string; name?: string; password?: string }) => {
      const { createOperator } = await import('./administration.ts')
      await createOperator(processConfig(), given)
    })
  program
    .command('create-tenant')
    .alias('create_tenant')
    .description('create an organisation')
    .requiredOption('--name <name>')
    .requiredOption('--slug <slug>', 'its short name in addresses')
    .option('--timezone <zone>', 'default UTC')
    .option('--locale <fr|en|ar>', 'default fr')
    .action(async (options: Record<string, string>) => {
      const { runOperation } = await import('./operations.ts')
      await runOperation([
        'tenants.create',
        ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
      ])
    })
}

function addBackups(program: Command) {
  const backup = program
    .command('backup')
    .description('write every row of every organisation to a new directory')
    .option('--to <directory>', 'where backups are kept', 'backups')
    .option('--verify', 'restore it into a database of its own and look at it, before older ones go')
    .option(
      '--scratch <url>',
      'with --verify: superuser of a PostgreSQL to make that database on, where none is installed',
    )
    .option('--keep <count>', 'then remove all but the newest so many', Number)
    .action(async (options: { to: string; keep?: number; verify?: boolean; scratch?: string }) => {
      const { backUp } = await import('./backup/index.ts')
      if (!(await backUp(processConfig(), options))) process.exitCode = 1
    })
  backup
    .command('verify')
    .description(
      'restore a backup into a database of its own, count, compute the audit chains, ask the program; answers 1 when something is wrong',
    )
    .argument('<directory>')
    .option('--scratch <url>', 'superuser of a PostgreSQL to make that database on, where none is installed')
    .action(async (directory: string, { scratch }: { scratch?: string }) => {
      const { verify } = await import('./backup/index.ts')
      if (!(await verify(processConfig(), directory, scratch))) process.exitCode = 1
    })
  backup
    .command('server')
    .description('copy the whole PostgreSQL server, from which the log leads to any later moment')
    .option('--to <directory>', 'where base backups are kept', 'backups')
    .action(async (options: { to: string }) => {
      const { backUpServer } = await import('./backup/index.ts')
      await backUpServer(processConfig(), options)
    })
  backup
    .command('log')
    .description('keep the log of the server as it is written, until stopped')
    .requiredOption('--to <directory>')
    .action(async (options: { to: string }) => {
      const { keepLog } = await import('./backup/index.ts')
      await keepLog(processConfig(), options)
    })
  program
    .command('restore')
    .description('fill an empty database with a backup; the copy sends nothing until it is released')
    .argument('[directory]')
    .option('--data-directory <directory>', 'of a base backup: make this data directory for PostgreSQL')
    .option('--log <directory>', 'with the log kept since')
    .option('--until <instant>', 'leave out what was committed later')
    .option('--release', 'this copy now is the installation: it may send and work')
    .option('--new-epoch', 'after a failover that lost writes: whoever follows a stream begins anew')
    .action(async (directory: string | undefined, flags: RestoreFlags) => {
      const { newEpochs, recoverServer, releaseCopy, restore } = await import('./backup/index.ts')
      const config = processConfig()
      if (flags.release) return releaseCopy(config)
      if (flags.newEpoch) return newEpochs(config)
      if (directory === undefined) throw new Error('which backup? smartqueue restore <directory>')
      const { dataDirectory, log, until } = flags
      if (dataDirectory !== undefined) return recoverServer({ base: directory, dataDirectory, log, until })
      await restore(config, directory)
    })
}
interface RestoreFlags {
  release?: boolean
  newEpoch?: boolean
  dataDirectory?: string
  log?: string
  until?: string
}

function addInspection(program: Command) {
  const archive = program.command('archive').description('look at what left the database for files (HISTORY_DAYS)')
  const ofTenant = (name: string, description: string) =>
    archive.command(name).description(description).requiredOption('--tenant <slug>', 'organisation')
  ofTenant('list', 'list the files of an organisation').action(async ({ tenant }: { tenant: string }) => {
    const { listArchive } = await import('./archive.ts')
    await listArchive(processConfig(), tenant)
  })
  ofTenant('read', 'print a file, one JSON object a line, after its checksum was compared')
    .argument('<name>')
    .action(async (name: string, { tenant }: { tenant: string }) => {
      const { readArchive } = await import('./archive.ts')
      await readArchive(processConfig(), tenant, name)
    })
  ofTenant('restore', 'bring what a file holds back into the database for 30 days')
    .argument('<name>')
    .action(async (name: string, { tenant }: { tenant: string }) => {
      const { bringBack } = await import('./archive.ts')
      await bringBack(processConfig(), tenant, name)
    })
  program
    .command('audit')
    .description('look after the audit trail')
    .command('verify')
    .description('compute every link of the chain again; answers 1 when something was altered, removed or added')
    .option('--tenant <slug>', 'default every organisation and the platform')
    .option('--anchor <seq:link>', 'an earlier head that the chain must still pass through')
    .option('--heads <directory>', 'signed heads of earlier days; default those in DATA_DIR')
    .action(async (options: { tenant?: string; anchor?: string; heads?: string }) => {
      const { verifyTrail } = await import('./audit.ts')
      if (!(await verifyTrail(processConfig(), options))) process.exitCode = 1
    })
  program
    .command('search')
    .description('look after the search server of OPENSEARCH_URL')
    .command('reindex')
    .description('tell it everything again, and let it forget what is gone')
    .option('--tenant <slug>', 'default every organisation')
    .action(async (options: { tenant?: string }) => {
      const { reindex } = await import('./search.ts')
      await reindex(processConfig(), options)
    })
  program
    .command('db')
    .description('look after the database')
    .command('distribute')
    .description('spread the tables of a Citus cluster by organisation; answers 1 when something does not qualify')
    .option('--dry-run', 'only print the statements')
    .action(async ({ dryRun }: { dryRun?: boolean }) => {
      const { distribute } = await import('./distribute.ts')
      if (!(await distribute(processConfig(), { isDone: !dryRun }))) process.exitCode = 1
    })
  program
    .command('doctor')
    .description('check settings, database and clocks')
    .action(async () => {
      const { doctor } = await import('./doctor.ts')
      if (!(await doctor(processConfig()))) process.exitCode = 1
    })
  program
    .command('openapi')
    .description('print the OpenAPI document')
    .action(async () => {
      const [{ operations }, { openApiDocument }] = await Promise.all([
        import('../../modules/index.ts'),
        import('../openapi.ts'),
      ])
      print(JSON.stringify(openApiDocument(operations, { version: packageJson.version }), null, 2))
    })
  program
    .command('operations')
    .description('list every operation')
    .action(async () => {
      const [{ operations }, { table }] = await Promise.all([import('../../modules/index.ts'), import('./output.ts')])
      print(table(operations.map(({ id, summary }) => [id, summary])))
    })
  program
    .command('shell')
    .description('a JavaScript prompt with the runtime: `await run("tickets.list", {}, "demo-bank")`')
    .action(async () => {
      const { shell } = await import('./administration.ts')
      await shell(processConfig())
    })
}

interface Kept {
  credentials?: string
}
/** The loop of whoever writes against the interface: these are clients, wherever the server is. */
function addDevelopment(program: Command) {
  const command = (parent: Command, name: string, description: string) =>
    parent
      .command(name)
      .description(description)
      .option('--credentials <file>', 'where login keeps the key; default in your own directory')
  command(program, 'login', 'keep an API key for listen, trigger, events, tickets and sandbox')
    .requiredOption('--tenant <slug>', 'organisation')
    .option('--base-url <url>', 'server', 'http://localhost:8000')
    .option('--key <key>', 'an API key; asked for when absent')
    .option('--email <address>', 'of an administrator, to make a key')
    .option('--password <password>', 'asked for when absent')
    .action(async (flags: LoginFlags) => {
      const { login } = await import('./developer/login.ts')
      await login(flags)
    })
  command(program, 'listen', 'send what happens from now on to an address of yours, signed as webhooks are')
    .requiredOption('--forward-to <url>')
    .option('--events <types...>', 'types or families such as ticket.*')
    .option('--since <instant>', 'begin there')
    .action(async ({ forwardTo, ...flags }: Kept & { forwardTo: string; events?: string[]; since?: string }) => {
      const { listen } = await import('./developer/listen.ts')
      await listen(forwardTo, flags)
    })
  command(program, 'trigger', 'make an event happen in a sandbox, as people would')
    .argument('<event>')
    .action(async (event: string, flags: Kept) => {
      const { trigger } = await import('./developer/trigger.ts')
      await trigger(event, flags)
    })
  const events = program.command('events').description('look at what happened')
  command(events, 'resend', 'send an event again to the webhooks of the organisation, or to an address of yours')
    .argument('<id>')
    .option('--webhook <id>', 'to this one alone')
    .option('--forward-to <url>')
    .action(async (id: string, flags: Kept & { webhook?: string; forwardTo?: string }) => {
      const { resend } = await import('./developer/log.ts')
      await resend(id, flags)
    })
  const tickets = program.command('tickets').description('look at tickets')
  command(tickets, 'tail', 'print what happens to tickets, one line each')
    .option('--queue <id>')
    .option('--since <instant>', 'begin there')
    .action(async (flags: Kept & { queue?: string; since?: string }) => {
      const { tailTickets } = await import('./developer/log.ts')
      await tailTickets(flags)
    })
  command(program, 'logs', 'print what was asked with the organisation’s keys, or the one request of an id')
    .argument('[request_id]')
    .option('--refused', 'only what was refused')
    .action(async (id: string | undefined, flags: Kept & { refused?: boolean }) => {
      const { printRequests } = await import('./developer/requests.ts')
      await printRequests(id, flags)
    })
  const clock = program.command('clock').description('the time of a sandbox')
  command(clock, 'advance', 'let time pass at once: 30m, 2h, 1d')
    .argument('<time>')
    .action(async (time: string, flags: Kept) => {
      const { advanceClock } = await import('./developer/clock.ts')
      await advanceClock(time, flags)
    })
  command(clock, 'run', 'let time run faster until it is stopped')
    .option('--speed <factor>', 'how many times faster', '60')
    .action(async (flags: Kept & { speed: string }) => {
      const { runClock } = await import('./developer/clock.ts')
      await runClock(flags)
    })
  const sandbox = program.command('sandbox').description('organisations to try things in')
  command(sandbox, 'create', 'make one with people at its counters and a test key, on this server')
    .option('--slug <slug>', 'its short name in addresses', 'sandbox')
    .action(async (flags: Kept & { slug: string }) => {
      const { createSandbox } = await import('./developer/sandbox.ts')
      await createSandbox(processConfig(), flags)
    })
  command(sandbox, 'key', 'print the key that is kept, for other programs').action(async (flags: Kept) => {
    const [{ connect }, { print }] = await Promise.all([import('./developer/credentials.ts'), import('./output.ts')])
    print(connect(flags).key)
  })
  command(sandbox, 'traffic', 'let visitors come and agents serve them in a sandbox, until it is stopped')
    .option('--rate <count>', 'visitors a minute', '6')
    .option('--speed <factor>', 'how much faster than life people are served', '20')
    .option('--visitors <count>', 'stop after so many')
    .action(async (flags: Kept & { rate: string; speed: string; visitors?: string }) => {
      const { traffic } = await import('./developer/traffic.ts')
      await traffic(flags)
    })
}
