import type { Feed } from '../../kernel/feed.ts'
import type { Caller } from '../authenticate.ts'

/** What a feed sends: a snapshot, `resync`, or an event. */
export interface Frame extends Record<string, unknown> {
  type: string
}
/** A request that knows who asks. */
interface Asking {
  placed(): Promise<Caller>
}
/** Opens a feed for the asker, at the position the arguments name; ends when the feed or the client does. */
export type Follow = (
  feed: Feed,
  args: Readonly<Record<string, string | number | null | undefined>>,
  asking: Asking,
) => Promise<AsyncIterable<Frame>>
