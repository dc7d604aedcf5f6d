export { NotifyBus } from './bus.ts'
export { Hub, type HubOptions } from './hub.ts'
export {
  dayBefore,
  openStream,
  readEvents,
  readOn,
  wantedOf,
  type EventInput,
  type StreamEvent,
  type StreamHead,
} from './log.ts'
export { RedisBus } from './redis-bus.ts'
export type { Tail } from './tail.ts'
