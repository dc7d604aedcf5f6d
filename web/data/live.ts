import type { Feed, Frame, LiveEvent } from '../../shared/board.ts'
import { LiveClient, type Address } from '../../shared/live-client.ts'
import type { OptimisticAct } from '../../shared/optimism.ts'

/** What is shown may be old from here on. */
const STALE_SECONDS = 15

/** `offline`: the device has no network. `stale`: nothing was heard for a while. */
export type Freshness = 'fresh' | 'stale' | 'offline'
export interface Following<View, Event = LiveEvent> {
  readonly view: View | null
  /** As the server told it, without one's own acts. */
  readonly told: View | null
  /** Seconds since anything was heard. */
  readonly silentSeconds: number
  /** Shows an act at once and sends it; see `LiveClient.act`. */
  act<Result>(act: OptimisticAct<View, Event, Result>): Promise<Result>
  close(): void
}
export interface FollowOptions<View extends Feed, Event extends Frame> {
  /** Path of the feed: `/ws/tickets/{token}/`. */
  path: string
  /** Asked before every connection: an access token, or nothing where the path is the credential. */
  token?(): Promise<string>
  /** Reducer of shared/board.ts or shared/views.ts. */
  reduce(view: View, event: Event): View
  /** `event` is null when the view is a new snapshot. */
  onView(view: View, event: Event | null): void
  onFreshness?(freshness: Freshness): void
  /** Seconds of silence until stale; 15 when absent. */
  staleSeconds?: number
}

/** Follows a live feed: snapshot, then every event, through breaks; and says when what is shown may be old. */
export function follow<View extends Feed, Event extends Frame>(
  options: FollowOptions<View, Event>,
): Following<View, Event> {
  const { path, token, reduce, onView, onFreshness, staleSeconds = STALE_SECONDS } = options
  const url = `${location.origin.replace(/^http/, 'ws')}${path}?heartbeat=5`
  let freshness: Freshness = 'fresh'
  const client = new LiveClient<View, Event>({
    async address(): Promise<Address> {
      return token ? { url, protocols: ['smartqueue.v1', `bearer.${await token()}`] } : { url }
    },
    WebSocket,
    reduce,
    onChange: onView,
    onStatus: () => judge(),
    heartbeatSeconds: 5,
  })
  function judge(): void {
    // A network may vanish without a word: an open connection that brings no heartbeat is no better than none.
    const isOld = client.silentSeconds > staleSeconds
    const now: Freshness = navigator.onLine === false ? 'offline' : isOld ? 'stale' : 'fresh'
    if (now === freshness) return
    freshness = now
    onFreshness?.(now)
  }
  const timer = setInterval(judge, 1000)
  addEventListener('online', judge)
  addEventListener('offline', judge)
  return {
    get view() {
      return client.view
    },
    get told() {
      return client.told
    },
    get silentSeconds() {
      return client.silentSeconds
    },
    act: (act) => client.act(act),
    close() {
      clearInterval(timer)
      removeEventListener('online', judge)
      removeEventListener('offline', judge)
      client.close()
    },
  }
}
