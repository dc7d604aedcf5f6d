import { Command, Option } from 'commander'
import type { TSchema } from 'typebox'
import { buildCore, type Core } from '../../core.ts'
import { processConfig } from '../../config.ts'
import { systemActor, type Actor } from '../../kernel/access.ts'
import { notFound } from '../../kernel/errors.ts'
import { translate } from '../../kernel/i18n.ts'
import type { Operation, Request } from '../../kernel/operation.ts'
import type { Locale } from '../../kernel/schema.ts'
import { operationById } from '../../modules/index.ts'
import { visitorOf } from '../../modules/tickets/index.ts'
import { ANONYMOUS } from '../authenticate.ts'
import { fromText, isArrayInput } from '../input.ts'
import { besideServer } from './address.ts'
import { printJson, terminalLocale } from './output.ts'
import { thrown } from './refusals.ts'

interface Flags {
  tenant?: string
  token?: string
  idempotencyKey?: string
  ifMatch?: string
}
/** Runs an operation and writes its answer. */
type Run = (flags: Flags, input: Record<string, unknown>) => Promise<void>

/** `smartqueue <operation> --flag value …`: one command per operation, flags from its input. */
function operationCommand(op: Operation, run: Run): Command {
  const { roles, http, input, summary, description } = op
  const command = thrown(new Command(op.id))
    .summary(summary)
    .description(description ? `${summary}. ${description}` : summary)
  const properties = Object.entries(input.properties as Record<string, TSchema>)
  const required = new Set((input as { required?: string[] }).required)
  for (const [name, schema] of properties) command.addOption(optionOf(op, name, schema, required.has(name)))
  const isVisitors = http.path.startsWith('/t/{token}/')
  const own = new Set(properties.map(([name]) => name))
  if (http.base !== 'root' && !own.has('tenant')) command.requiredOption('--tenant <slug>', 'organisation')
  if (isVisitors) command.requiredOption('--token <token>', 'of the visitor’s ticket')
  if (op.kind === 'mutation' && http.method === 'POST')
    command.option('--idempotency-key <key>', 'repeating it repeats the answer')
  if (http.method === 'PATCH' || http.method === 'DELETE') command.option('--if-match <etag>', 'version being changed')
  command.addHelpText('after', `\nRoles: ${roles.join(', ')}\nExample:\n  smartqueue ${op.id} ${exampleOf(op)}`)
  return command.action(async (options: Record<string, string | string[]>) => {
    const given: Record<string, unknown> = {}
    for (const [name] of properties) {
      const value = options[camel(name)]
      if (value !== undefined) given[name] = fromText(op, name, value)
    }
    await run(options as Flags, given)
  })
}

function optionOf(op: Operation, name: string, schema: TSchema, isRequired: boolean): Option {
  const {
    type,
    enum: choices,
    description,
    default: value,
  } = schema as {
    type?: string
    enum?: string[]
    description?: string
    default?: unknown
  }
  const kind = choices ? choices.join('|') : type === 'object' ? 'json' : (type ?? 'value')
  const notes = [description, isRequired && 'required', value !== undefined && `default ${JSON.stringify(value)}`]
  const placeholder = isArrayInput(op, name) ? '<values...>' : `<${kind}>`
  return new Option(`--${name.replaceAll('_', '-')} ${placeholder}`, notes.filter(Boolean).join(', '))
}

function exampleOf(op: Operation): string {
  const words = Object.entries(op.example.input as Record<string, unknown>).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `--${name.replaceAll('_', '-')} ${/^[\w.@:-]+$/.test(text) ? text : `'${text}'`}`
  })
  return (op.http.base === 'root' ? words : ['--tenant demo-bank', ...words]).join(' ')
}

const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

/** Whoever can run this program may do everything: it acts as the system, where that may not, as a visitor would. */
async function requestOf(core: Core, op: Operation, flags: Flags, locale: Locale): Promise<Omit<Request, 'input'>> {
  const options = { locale, key: flags.idempotencyKey, ifMatch: flags.ifMatch }
  if (op.http.path.startsWith('/t/{token}/')) {
    const actor = await visitorOf(core.db, flags.token ?? '')
    const tenant = actor && (await core.directory.byId(actor.tenantId!))
    if (!tenant) throw notFound()
    return { actor, tenant, ...options }
  }
  if (op.http.base === 'root') return { actor: actorFor(op, null), tenant: null, ...options }
  const tenant = await core.directory.bySlug(flags.tenant ?? '')
  if (!tenant) throw new Error(translate(locale, 'cli.tenant_unknown', { name: flags.tenant ?? '' }))
  return { actor: actorFor(op, tenant.id), tenant, ...options }
}
function actorFor(op: Operation, tenantId: number | null): Actor {
  if (!op.roles.includes('system') && op.roles.includes('anonymous')) return ANONYMOUS
  return { ...systemActor(tenantId ?? 0), tenantId }
}

/** Flags in either spelling: `--queue_id` as in the API, `--queue-id` as on a command line. */
const normalizeFlags = (argv: readonly string[]): string[] =>
  argv.map((word) => (word.startsWith('--') ? word.replace(/^--[\w-]+/, (flag) => flag.replaceAll('_', '-')) : word))

/** `smartqueue tickets.take --tenant demo-bank --queue-id 3`: the answer as JSON on standard output. */
export async function runOperation(argv: readonly string[]): Promise<void> {
  const op = operationById.get(argv[0]!)
  if (!op) throw new Error(`there is no operation ${argv[0]}; \`smartqueue operations\` lists them`)
  const command = operationCommand(op, async (flags, input) => {
    const core = await buildCore(besideServer(processConfig()))
    try {
      const request = await requestOf(core, op, flags, terminalLocale())
      const outcome = await core.runtime.execute(op, { ...request, input })
      if (outcome.status >= 400) throw new Error(outcome.body)
      printJson(outcome.body)
    } finally {
      await core.close()
    }
  })
  await command.parseAsync(['node', 'smartqueue', ...normalizeFlags(argv.slice(1))])
}
