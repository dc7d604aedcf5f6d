import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll } from 'vitest'
import { testSeed } from '../config.ts'
import { file } from './file.ts'
import { closeAll } from './when-over.ts'

/** A change is judged by the cases that the one before it passed; a soak tries others. */
const SEED = 20_261_122

fc.configureGlobal({ seed: testSeed() ?? SEED })
file.mark = randomUUID()
afterAll(closeAll, 120_000)
