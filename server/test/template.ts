import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { testDatabaseUrl } from '../config.ts'
import { ensureScreens } from '../../web/build/ensure.ts'
import { connectDirect, migrate, startEmbedded } from '../kernel/db/index.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Server of this run; `/postgres` is the database to create others from. */
    testServer: { url: string; directUrl: string; template: string }
  }
}

/** Once a run: the screens as their sources are now, and a PostgreSQL of its own (or TEST_DATABASE_URL), migrated into a template that every test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await ensureScreens()
  const given = testDatabaseUrl()
  const directory = mkdtempSync(join(tmpdir(), 'sq-test-'))
  const server = given
    ? { url: given, directUrl: given, close: async () => {} }
    : await startEmbedded({ directory, durable: false })
  const template = `smartqueue_template_${process.pid}`
  const admin = await connectDirect(databaseUrl(server.directUrl, 'postgres'))
  const teardown = async () => {
    await admin.query(`drop database if exists ${template} with (force)`)
    await admin.close()
    await server.close()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await admin.query(`create database ${template}`)
    await migrate(databaseUrl(server.directUrl, template))
  } catch (error) {
    await teardown()
    throw error
  }
  project.provide('testServer', { url: server.url, directUrl: server.directUrl, template })
  return teardown
}

/** The same server and login, another database. */
export function databaseUrl(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.href
}
