/** The past: what leaves the database for files, and how it is read and brought back. */
import type { Job } from '../../kernel/jobs/index.ts'
import type { Operation } from '../../kernel/operation.ts'
import { dropParts, makeParts } from './parts.ts'
import { archiveTicketsJob } from './tickets.ts'

export { fileOf, filesOf, readLines } from './file.ts'
export { restoreArchive } from './restore.ts'
export { useHistory } from './settings.ts'
export const operations: readonly Operation[] = []
export const jobs: readonly Job[] = [makeParts, dropParts, archiveTicketsJob]
