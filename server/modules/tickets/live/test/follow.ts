import { isDeepStrictEqual } from 'node:util'
import { applyEvent, GapError, type Board, type Line, type LiveEvent } from '../../../../../shared/board.ts'
import {
  applyAgent,
  applyDisplay,
  applySite,
  applyTicketView,
  type AgentView,
  type Display,
  type SiteView,
  type TicketView,
} from '../../../../../shared/views.ts'
import type { Actor } from '../../../../kernel/access.ts'
import { readEvents, type StreamEvent } from '../../../../kernel/events/index.ts'
import type { Runtime } from '../../../../kernel/execute.ts'
import type { FeedSnapshot, OpenFeed } from '../../../../kernel/feed.ts'
import type { Tenant } from '../../../../kernel/operation.ts'
import { feeds } from '../feeds.ts'

type Reduce = (view: FeedSnapshot, frame: LiveEvent) => FeedSnapshot
/** What a browser does with the frames of each feed. */
const REDUCERS: Record<string, Reduce> = {
  queue: (view, frame) => ({ ...applyEvent(view as unknown as Board, frame) }),
  display: (view, frame) => ({ ...applyDisplay(view as unknown as Display, frame) }),
  agent: (view, frame) => ({ ...applyAgent(view as unknown as AgentView, frame) }),
  site: (view, frame) => ({ ...applySite(view as unknown as SiteView, frame) }),
  ticket: (view, frame) => ({ ...applyTicketView(view as unknown as TicketView, frame as never) }),
}

/** Somebody who follows a feed: took a snapshot once and has only seen frames since. */
export class Follower {
  readonly name: string
  view: FeedSnapshot
  frames: LiveEvent[] = []
  #runtime: Runtime
  #tenant: Tenant
  #open: () => Promise<OpenFeed>
  #feed: OpenFeed
  #read: number
  /** Control: events of this type are taken for something unknown. */
  forgets: string | null = null

  private constructor(
    name: string,
    runtime: Runtime,
    tenant: Tenant,
    open: () => Promise<OpenFeed>,
    feed: OpenFeed,
    view: FeedSnapshot,
  ) {
    this.name = name
    this.#open = open
    this.#runtime = runtime
    this.#tenant = tenant
    this.#feed = feed
    this.view = view
    this.#read = view.offset
  }

  static async open(runtime: Runtime, tenant: Tenant, actor: Actor, name: string, params: Record<string, string> = {}) {
    const { db, hub } = runtime
    const context = { db, hub, tenant, actor, locale: 'fr' } as const
    const openFeed = () => feeds.find((each) => each.name === name)!.open(context, params)
    const feed = await openFeed()
    return new Follower(name, runtime, tenant, openFeed, feed, overTheWire(await feed.snapshot()))
  }

  /**
   * Reads what happened since and brings the view up to date, exactly as the frames say. False when a frame said that
   * only a new snapshot helps, which was taken then.
   */
  async catchUp(): Promise<boolean> {
    for (const event of await this.#eventsAfter(this.#read)) {
      this.#read = event.offset
      if (!this.#feed.select(event)) continue
      const { type, offset, at } = event
      const frame = overTheWire({
        type,
        offset,
        after: this.view.offset,
        at,
        ...this.#feed.project(event),
      }) as LiveEvent
      this.frames.push(frame)
      try {
        this.view = REDUCERS[this.name]!(this.view, type === this.forgets ? { ...frame, type: 'lost' } : frame)
      } catch (error) {
        if (!(error instanceof GapError)) throw error
        this.#feed = await this.#open()
        this.view = overTheWire(await this.#feed.snapshot())
        this.#read = this.view.offset
        return false
      }
    }
    return true
  }

  /** The differences between what the frames led to and a fresh snapshot; empty when they agree. */
  async differences(): Promise<string[]> {
    const fresh = inSight(overTheWire(await this.#feed.snapshot()), this.view)
    const found = [...new Set([...Object.keys(fresh), ...Object.keys(this.view)])]
      .filter((key) => !isDeepStrictEqual(fresh[key], this.view[key]))
      .map(
        (key) => `${this.#feed.key}.${key}: ${JSON.stringify(this.view[key])} instead of ${JSON.stringify(fresh[key])}`,
      )
    const tail = await this.#eventsAfter(fresh.offset - 1)
    const later = tail.filter(({ offset }) => offset > fresh.offset)
    const head = tail.find(({ offset }) => offset === fresh.offset)
    if (fresh.offset > 0 && !(head && this.#feed.select(head)))
      found.push(`${this.#feed.key}: no event at ${fresh.offset}`)
    const missed = later.find((event) => this.#feed.select(event))
    if (missed) found.push(`${this.#feed.key}: the snapshot says ${fresh.offset}, its last event is ${missed.offset}`)
    return found
  }

  #eventsAfter(offset: number): Promise<StreamEvent[]> {
    return readEvents(this.#runtime.db.reader(this.#tenant.id), this.#feed.site_id, offset, 100_000)
  }
}

/** Of a fresh snapshot of long lines, as much as the view knows of them: it need not see to the end of the window. */
function inSight(fresh: FeedSnapshot, view: FeedSnapshot): FeedSnapshot {
  const cut = <T extends Partial<Line>>(line: T, known: Partial<Line> | undefined): T =>
    known?.waiting && known.waiting.length < known.waiting_count!
      ? { ...line, waiting: line.waiting!.slice(0, known.waiting.length) }
      : line
  const { lines } = fresh as Partial<SiteView>
  const known = (view as Partial<SiteView>).lines
  return {
    ...(cut(fresh as Partial<Line>, view as Partial<Line>) as FeedSnapshot),
    ...(lines && { lines: lines.map((line, i) => cut(line, known?.[i])) }),
  }
}

/** As JSON gives it to a browser. */
const overTheWire = <T extends object>(value: T): T => JSON.parse(JSON.stringify(value)) as T
