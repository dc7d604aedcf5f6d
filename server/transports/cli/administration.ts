import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { start as startRepl } from 'node:repl'
import { Writable } from 'node:stream'
import { buildCore } from '../../core.ts'
import type { Config } from '../../config.ts'
import { systemActor } from '../../kernel/access.ts'
import { migrate } from '../../kernel/db/index.ts'
import { notFound } from '../../kernel/errors.ts'
import { createSuperuser, resealSecrets, signHeadsAnew } from '../../modules/authentication/index.ts'
import { operationById, operations } from '../../modules/index.ts'
import { print, terminalLocale } from './output.ts'

/** Applies what is missing. The embedded database is brought up to date by being opened. */
export async function migrateDatabase(config: Config): Promise<void> {
  if (config.databaseDirectUrl) {
    const applied = await migrate(config.databaseDirectUrl)
    print(applied.length ? `applied: ${applied.join(', ')}` : 'the database is up to date')
    return
  }
  const core = await buildCore(config)
  await core.close()
  print('the embedded database is up to date')
}

export async function createOperator(
  config: Config,
  given: { email?: string; name?: string; password?: string },
): Promise<void> {
  const email = given.email ?? (await ask('E-mail: '))
  const name = (given.name ?? (await ask('Name: '))) || email
  const password = given.password ?? (await ask('Password: ', true))
  const core = await buildCore(config)
  try {
    const operator = await createSuperuser(core.db, { email, name, password })
    print(`${operator.email} is an operator of the platform`)
  } finally {
    await core.close()
  }
}

/** Before a key leaves SECRET_KEY_FALLBACKS. @throws Error when a secret cannot be opened by any key: keep them all */
export async function reseal(config: Config): Promise<void> {
  const core = await buildCore(config)
  try {
    const { resealed, current, unreadable } = await resealSecrets(core.db)
    print(`${resealed} secrets sealed anew, ${current} were already`)
    print(`${await signHeadsAnew(join(config.dataDir, 'audit-heads'))} heads of audit trails signed anew`)
    if (unreadable > 0) throw new Error(`${unreadable} secrets were sealed with a key that is not here: no key may go`)
  } finally {
    await core.close()
  }
}

/** One line from the terminal; a secret is not shown. */
export async function ask(question: string, isSecret = false): Promise<string> {
  process.stdout.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({
    input: process.stdin,
    output: isSecret ? silent : process.stdout,
    terminal: process.stdin.isTTY,
  })
  const ended = once(lines, 'close').then((): never => {
    throw new Error(`nobody answers: give ${question.replace(/: $/, '')} as an option`)
  })
  const line = await Promise.race([lines.question(''), ended])
  ended.catch(() => {})
  lines.close()
  if (isSecret) process.stdout.write('\n')
  return line.trim()
}

/** A prompt with the program inside: `await run(id, input, slug)` runs an operation as the system. */
export async function shell(config: Config): Promise<void> {
  const core = await buildCore(config)
  const run = async (id: string, input: Record<string, unknown> = {}, slug?: string) => {
    const op = operationById.get(id)
    const tenant = slug === undefined ? null : await core.directory.bySlug(slug)
    if (!op || tenant === undefined) throw notFound()
    const actor = { ...systemActor(tenant?.id ?? 0), tenantId: tenant?.id ?? null }
    return (await core.runtime.execute(op, { actor, tenant, locale: terminalLocale(), input })).output
  }
  const prompt = startRepl({ prompt: 'smartqueue> ' })
  Object.assign(prompt.context, { ...core, operations, run })
  await once(prompt, 'exit')
  await core.close()
}
