import { monotonicMs } from '../../kernel/clock.ts'
import type { SearchServer } from './providers/opensearch.ts'

/** So long the database alone is asked after the server failed. */
const REST_MS = 5000

let current: SearchServer | undefined
let restsUntil = 0
let onDown: (error: unknown) => void = () => {}

/** The server of OPENSEARCH_URL; without one the database does it all. */
export async function useSearch(url: string | undefined): Promise<void> {
  current = url === undefined ? undefined : new (await import('./providers/opensearch.ts')).SearchServer(url)
  restsUntil = 0
}
export const searchServer = (): SearchServer | undefined => current

/** Told when the server fails and the database answers in its place: once an outage of at most `REST_MS`. */
export function onSearchDown(tell: (error: unknown) => void): void {
  onDown = tell
}

/** The server, unless there is none or it has just failed. */
export const readyServer = (): SearchServer | undefined => (monotonicMs() < restsUntil ? undefined : current)
export function noteDown(error: unknown): void {
  restsUntil = monotonicMs() + REST_MS
  onDown(error)
}
