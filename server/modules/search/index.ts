/** Finding people, tickets and appointments by what somebody types. A listener: nobody imports it. */
import type { Operation } from '../../kernel/operation.ts'
import { search } from './search.ts'

export const operations: readonly Operation[] = [search]
