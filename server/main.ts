#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * What is loaded from here on was compiled by an earlier start: half the time of a command. In the user's own directory,
 * because whoever can write there decides what runs; where nothing can be written, nothing is kept. Servers remove what is old.
 */
function keepCompiledCode(): void {
  try {
    enableCompileCache(join(homedir(), '.cache', 'smartqueue'))
  } catch {
    // A user without a home.
  }
}

keepCompiledCode()
const { smartqueue } = await import('./transports/cli/program.ts')
await smartqueue(process.argv.slice(2))
