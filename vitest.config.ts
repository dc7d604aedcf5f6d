import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Loaded once: its ES and CommonJS forms do not take each other's types.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['server/**/*.test.ts', 'shared/**/*.test.ts', 'scripts/**/*.test.ts', 'web/**/*.test.ts'],
    globalSetup: ['server/test/template.ts'],
    pool: 'forks',
    // One more than cores: tests of screens and of several processes mostly wait.
    maxWorkers: 3,
    // A database is cloned, or a server started, in the hooks of the slowest files.
    hookTimeout: 120_000,
    // Nothing is judged by its speed: a busy machine may take its time.
    testTimeout: 90_000,
    // What becomes true becomes so quickly, but not on a busy machine.
    expect: { poll: { timeout: 10_000, interval: 25 } },
    reporters: ['default', './scripts/plain-reporter.ts'],
  },
})
