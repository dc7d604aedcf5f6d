/** An event of a queue's feed, as far as its place is concerned. */
export interface ChainedEvent {
  type: string
  offset: number
  /** Offset of the frame before it on this feed. */
  after: number
}

/**
 * Proves that a feed loses and repeats nothing: every event must follow the frame seen before it. The snapshot gives
 * the first offset; a resync starts the chain anew and counts as a hole, because what happened meanwhile was not seen.
 */
export class Chain {
  offset: number | null = null
  epoch = ''
  gaps = 0
  repeats = 0

  /** Starts at a snapshot. A later snapshot must stand where the chain stands, else events were skipped. */
  snapshot(epoch: string, offset: number): void {
    if (this.offset !== null && (epoch !== this.epoch || offset !== this.offset)) this.gaps++
    this.epoch = epoch
    this.offset = offset
  }

  /** True when the event is new; a repeated one must not be applied again. */
  accept(event: ChainedEvent): boolean {
    if (this.offset !== null && event.offset <= this.offset) {
      this.repeats++
      return false
    }
    if (event.after !== this.offset || event.offset <= event.after) this.gaps++
    this.offset = event.offset
    return true
  }
}
