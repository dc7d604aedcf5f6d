import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config.ts'

interface Running {
  url: string
  pid: number
}
const fileOf = ({ dataDir }: Config) => join(dataDir, 'address.json')

/** Commands of the same data directory find the server that a developer began on another port. @returns forgets it */
export function noteAddress(config: Config): () => void {
  if (!config.debug) return () => {}
  mkdirSync(config.dataDir, { recursive: true })
  writeFileSync(fileOf(config), JSON.stringify({ url: config.publicUrl, pid: process.pid } satisfies Running))
  return () => {
    if (runningAt(config)?.pid === process.pid) rmSync(fileOf(config), { force: true })
  }
}

const USUAL = 'http://localhost:8000'

/** The settings of a command beside a server: where no address was set, its links are the server's. */
export function besideServer(config: Config): Config {
  if (!config.debug || config.publicUrl !== USUAL) return config
  return { ...config, publicUrl: runningAt(config)?.url ?? USUAL }
}

function runningAt(config: Config): Running | undefined {
  try {
    const running = JSON.parse(readFileSync(fileOf(config), 'utf8')) as Running
    // Whoever was killed could not take its note away.
    process.kill(running.pid, 0)
    return running
  } catch {
    return undefined
  }
}
