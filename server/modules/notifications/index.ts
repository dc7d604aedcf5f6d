/** Messages to visitors: what is said, on which channel, when, and what became of it. A listener: nobody imports it. */
import type { Operation } from '../../kernel/operation.ts'
import { templateOperations } from './templates/preview.ts'
import { templates } from './templates/resource.ts'

export const operations: readonly Operation[] = [...templates.operations, ...templateOperations]
