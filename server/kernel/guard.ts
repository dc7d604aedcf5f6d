import type { Tx } from './db/types.ts'
import type { AppError } from './errors.ts'
import type { Feed } from './feed.ts'
import type { Operation, Request } from './operation.ts'

/**
 * Keeps actors that are limited to some sites or queues inside them, whatever the operation. The modules say what an
 * input's names refer to; the kernel asks before every operation runs.
 */
export interface Guard {
  /** The request with its place filled in where the actor has only one. @throws AppError when it names none of several */
  place(op: Operation, request: Request): Request
  /** One refusal or undefined per request, in order; nothing at all when nobody is limited. */
  refusals(tx: Tx, op: Operation, requests: readonly Request[]): Promise<(AppError | undefined)[]> | undefined
  /** The feed for limited actors too. */
  feed(feed: Feed): Feed
}
