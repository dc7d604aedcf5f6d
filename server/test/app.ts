import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { buildApp, type App, type AppOptions } from '../app.ts'
import { loadConfig } from '../config.ts'
import type { Actor } from '../kernel/access.ts'
import { createLogger } from '../kernel/log.ts'
import { aTenant, type TenantFixture, type TenantShape } from './factories.ts'
import { PATIENT, testDatabase, type TestDatabase } from './harness.ts'
import { tokenOf } from './tokens.ts'
import { whenOver } from './when-over.ts'

export interface TestApp extends App, Pick<TestDatabase, 'owner'> {
  aTenant(shape?: TenantShape): Promise<TenantFixture>
  /** A bearer token for an actor of a fixture. */
  tokenOf(actor: Actor, lifeSeconds?: number): string
  /** Headers of a request by this actor. */
  as(actor: Actor): Record<string, string>
  /** Listens on a loopback port; `http://127.0.0.1:port`. */
  listen(): Promise<string>
}

/** The whole server on a database of the calling test file's own, stopped after its last test. */
export async function startApp(environment: Record<string, string> = {}, options: AppOptions = {}): Promise<TestApp> {
  const { owner, url, directUrl } = await testDatabase()
  const config = loadConfig(
    {
      DATABASE_URL: url,
      DATABASE_DIRECT_URL: directUrl,
      SECRET_KEY: randomBytes(48).toString('base64url'),
      DATA_DIR: tmpdir(),
      METRICS_PORT: '0',
      ...environment,
    },
    tmpdir(),
  )
  const logger = createLogger({ level: 'error', destination: process.stderr })
  const built = await buildApp(config, { logger, database: PATIENT, ...options })
  whenOver(() => built.close())
  return {
    ...built,
    async owner<Row>(text: string, values?: readonly unknown[]) {
      const rows = await owner<Row>(text, values)
      // Changed behind the server's back, without an event: what was read before would be shown for half a minute.
      if (!isRead(text)) built.runtime.answers.clear()
      return rows
    },
    aTenant: (shape) => aTenant(owner, shape),
    tokenOf,
    as: (actor) => ({ authorization: `Bearer ${tokenOf(actor)}` }),
    listen: () => built.app.listen({ host: '127.0.0.1', port: 0 }),
  }
}

const isRead = (text: string): boolean => /^\s*select\b/i.test(text)
