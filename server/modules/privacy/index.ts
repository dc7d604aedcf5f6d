/** Privacy: what is known of people, and how it is found, handed out and forgotten. */
import type { Job } from '../../kernel/jobs/index.ts'
import type { Operation } from '../../kernel/operation.ts'
import { erase } from './erase.ts'
import { consents, exportPerson, find } from './find.ts'
import { retain, retentionJob } from './retention.ts'

export { CLASSES } from './classes.ts'
export { columnsOf, REGISTRY, registryFaults } from './registry.ts'
export const operations: readonly Operation[] = [find, exportPerson, consents, erase, retain]
export const jobs: readonly Job[] = [retentionJob]
