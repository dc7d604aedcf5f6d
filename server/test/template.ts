import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { testDatabaseUrl } from '../config.ts'
import { ensureScreens } from '../../web/build/ensure.ts'
import { connectDirect, migrate, startEmbedded } from '../kernel/db/index.ts'
import { makeScratch, removeScratch } from './scratch.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Server of this run; `/postgres` is the database to create others from. */
    testServer: { url: string; directUrl: string; template: string }
    /** Directory for what is said to the database, in a run that reads it. */
    statements?: string
  }
}

/** Once a run: the screens as their sources are now, and a PostgreSQL of its own (or TEST_DATABASE_URL), migrated into a template that every test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // What is built meanwhile takes one core; whether it could be is asked where it is waited for.
  const screens = ensureScreens()
  screens.catch(() => {})
  const given = testDatabaseUrl()
  const scratch = project.config.env['TMPDIR']!
  makeScratch(scratch)
  const server = given
    ? { url: given, directUrl: given, close: async () => {} }
    : await startEmbedded({ directory: join(scratch, 'postgresql'), durable: false })
  const template = `smartqueue_template_${process.pid}`
  const admin = await connectDirect(databaseUrl(server.directUrl, 'postgres'))
  const teardown = async () => {
    await admin.query(`drop database if exists ${template} with (force)`)
    await admin.close()
    await server.close()
    removeScratch(scratch)
  }
  try {
    await admin.query(`create database ${template}`)
    await migrate(databaseUrl(server.directUrl, template))
    await screens
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
