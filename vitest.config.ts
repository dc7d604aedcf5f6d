import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { scratchDirectory } from './server/test/scratch.ts'

const env = { TMPDIR: scratchDirectory() }

/** Whole programs that are killed, stopped, cut off or restored have a run of their own: `npm run test:processes`. */
export const PROGRAMS = [
  'server/**/{kill,nodes,transfer-nodes,recovery,stalled,roles,real}.test.ts',
  'server/modules/authentication/{shared-sessions,revocations}.test.ts',
  'server/kernel/db/{backup,embedded}/*.test.ts',
]
const OWN_PROCESS = ['{server,shared,scripts,web}/**/*.process.test.ts']

/** One kind of files; what all have in common. */
export function project(name: string, test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return {
    // Loaded once: its ES and CommonJS forms do not take each other's types.
    resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
    test: {
      name,
      setupFiles: ['server/test/setup.ts'],
      env,
      // What tests make is mostly forgotten at once: with more room for it less is copied about.
      execArgv: ['--max-semi-space-size=64'],
      // A database is cloned, or a server started, in the hooks of the slowest files.
      hookTimeout: 240_000,
      // Nothing is judged by its speed: a busy machine may take its time.
      testTimeout: 240_000,
      // What becomes true becomes so quickly, but not on a busy machine; yet before anything forgotten is looked up anew.
      expect: { poll: { timeout: 60_000, interval: 25 } },
      ...test,
    },
  }
}

/** Short files that wait long for processes of their own. */
const PATIENT = /\/(devices|bus|replay|caldav|scheduled|voice)\.test\.ts$/

/**
 * They come first: none is left over for the end, when nothing else fills the time. Before them only files with a process
 * of their own: a process that runs one file after the other ends where the next one wants its own, and what it has loaded
 * is loaded again.
 */
class PatientFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project: { config } }: TestSpecification) =>
      config.isolate ? 0 : PATIENT.test(moduleId) ? 1 : 2
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    globalSetup: ['server/test/template.ts'],
    env,
    pool: 'forks',
    // More than a small machine has cores: tests of screens and of several processes mostly wait.
    maxWorkers: 4,
    sequence: { sequencer: PatientFirst },
    reporters: ['default', './scripts/plain-reporter.ts'],
    projects: [
      // Files follow one another in one process, as organisations do in a server: loading it for each takes half the time.
      project('shared', {
        include: ['{server,shared,scripts,web,sdk}/**/*.test.ts'],
        exclude: [...OWN_PROCESS, ...PROGRAMS],
        isolate: false,
      }),
      // Files that look at what a process has one of, such as its metrics.
      project('own', { include: OWN_PROCESS }),
    ],
  },
})
