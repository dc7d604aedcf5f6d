import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import base, { project } from '../../vitest.config.ts'

/** Tests of all that organisations ask for, one after the other in two processes: what they say to the database is noted. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    ...base.test,
    reporters: ['dot'],
    maxWorkers: 2,
    projects: [
      project('statements', {
        include: ['server/modules/**/*.test.ts'],
        // What an operator brings back comes in whole rows, which name their organisation themselves.
        exclude: ['server/modules/**/*.process.test.ts', 'server/modules/archive/**'],
        setupFiles: ['scripts/routing/record.ts', 'server/test/setup.ts'],
        isolate: false,
      }),
    ],
  },
})
