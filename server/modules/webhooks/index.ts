/** What other systems are told of: webhooks, and the log that they can read. A listener: nobody imports it. */
import type { Operation } from '../../kernel/operation.ts'
import { deliveryOperations } from './deliveries.ts'
import { endpointOperations } from './endpoint.ts'
import { logOperations } from './log.ts'

export { CATALOGUE, type EventDefinition } from './catalogue.ts'
export { Event as EventSchema } from './log.ts'
export { jobs } from './jobs.ts'
export { Sender } from './sending/sender.ts'
export { sealSecret, signedHeaders } from './secret.ts'
export { useWebhooks } from './settings.ts'

export const operations: readonly Operation[] = [...endpointOperations, ...deliveryOperations, ...logOperations]
