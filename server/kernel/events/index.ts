export { Hub } from './hub.ts'
export { openStream, readEvents, readHead, type EventInput, type StreamEvent, type StreamHead } from './log.ts'
export type { Tail } from './tail.ts'
