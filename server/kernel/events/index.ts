export { Hub } from './hub.ts'
export { openStream, readEvents, type EventInput, type StreamEvent, type StreamHead } from './log.ts'
export type { Tail } from './tail.ts'
