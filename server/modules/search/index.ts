/** Finding people, tickets and appointments by what somebody types. A listener: nobody imports it. */
import type { Operation } from '../../kernel/operation.ts'
import { search } from './search.ts'

export { followForSearch, jobs } from './feed/jobs.ts'
export { reindexTenant } from './feed/reindex.ts'
export { onSearchDown, searchServer, useSearch } from './server.ts'

export const operations: readonly Operation[] = [search]
