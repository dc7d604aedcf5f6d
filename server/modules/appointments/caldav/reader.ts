import { apart } from '../../../kernel/apart.ts'
import type { ReadEvent, readEvent } from './ics.ts'
import type { readMultistatus } from './xml.ts'

export type Question =
  | { kind: 'multistatus'; asked: Parameters<typeof readMultistatus> }
  | { kind: 'event'; asked: Parameters<typeof readEvent> }

/** What a calendar of somebody's choice answers: a rule that is asked for the 30th of February looks for it for ever. */
export const reader = apart<Question, unknown>(new URL('child.ts', import.meta.url), {
  patienceMs: 10_000,
  memoryMb: 256,
})

/** As `readMultistatus`. @throws Error, Endless */
export const multistatusOf = (...asked: Parameters<typeof readMultistatus>) =>
  reader.ask({ kind: 'multistatus', asked }) as Promise<ReturnType<typeof readMultistatus>>
/** As `readEvent`. @throws Error, Endless */
export const eventOf = (...asked: Parameters<typeof readEvent>) =>
  reader.ask({ kind: 'event', asked }) as Promise<ReadEvent>
