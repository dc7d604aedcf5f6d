import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const OWN_PROCESS = ['{server,shared,scripts,web}/**/*.process.test.ts']

/** One kind of files; what all have in common. */
export function project(name: string, test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return {
    // Loaded once: its ES and CommonJS forms do not take each other's types.
    resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
    test: {
      name,
      setupFiles: ['server/test/setup.ts'],
      // A database is cloned, or a server started, in the hooks of the slowest files.
      hookTimeout: 120_000,
      // Nothing is judged by its speed: a busy machine may take its time.
      testTimeout: 90_000,
      // What becomes true becomes so quickly, but not on a busy machine.
      expect: { poll: { timeout: 10_000, interval: 25 } },
      ...test,
    },
  }
}

/** Short files that wait long for processes of their own. */
const PATIENT = /\/(kill|nodes|recovery|roles|devices|bus)\.test\.ts$/

/** They come first: none is left over for the end, when nothing else fills the time. */
class PatientFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isPatient = ({ moduleId }: TestSpecification) => PATIENT.test(moduleId)
    return [...sorted.filter(isPatient), ...sorted.filter((file) => !isPatient(file))]
  }
}

export default defineConfig({
  test: {
    globalSetup: ['server/test/template.ts'],
    pool: 'forks',
    // More than a small machine has cores: tests of screens and of several processes mostly wait.
    maxWorkers: 4,
    sequence: { sequencer: PatientFirst },
    reporters: ['default', './scripts/plain-reporter.ts'],
    projects: [
      // Files follow one another in one process, as organisations do in a server: loading it for each takes half the time.
      project('shared', {
        include: ['{server,shared,scripts,web,sdk}/**/*.test.ts'],
        exclude: OWN_PROCESS,
        isolate: false,
      }),
      // Files that look at what a process has one of, such as its metrics.
      project('own', { include: OWN_PROCESS }),
    ],
  },
})
