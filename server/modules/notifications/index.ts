/** Messages to visitors: what is said, on which channel, when, and what became of it. A listener: nobody imports it. */
import type { Operation } from '../../kernel/operation.ts'
import { broadcast } from './broadcast.ts'
import { conversationOperations } from './conversation.ts'
import { receive } from './inbound/receive.ts'
import { ruleOperations } from './rules/resource.ts'
import { sendingOperations } from './sending/settle.ts'
import { templateOperations } from './templates/preview.ts'
import { templates } from './templates/resource.ts'
import { visitorOperations } from './visitor.ts'

export { edges } from './graphql.ts'
export { followLog, jobs } from './jobs.ts'
export { useProviders } from './providers/index.ts'
export { reports, type Report } from './inbound/reports.ts'

export const operations: readonly Operation[] = [
  ...templates.operations,
  ...templateOperations,
  ...ruleOperations,
  ...conversationOperations,
  broadcast,
  ...sendingOperations,
  receive,
  ...visitorOperations,
]
