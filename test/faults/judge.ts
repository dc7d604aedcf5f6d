/** What reached one follower, in order, over all its connections. */
export interface Heard {
  connections: number
  frames: { type: string; offset: number; after?: number; epoch?: string }[]
}

export interface FollowVerdict {
  reconnects: number
  /** Events of the feed that the follower should have heard. */
  due: number
  lost: number
  repeated: number
  disordered: number
  /** Places where the chain of `after` broke, or a snapshot came that no resync announced: holes nobody spoke of. */
  gaps: number
  /** Snapshots that the server announced instead of what was missed. */
  resyncs: number
}

/**
 * Compares what a follower heard with the offsets that its feed has in the database, in order. What lies between a
 * resync and its snapshot is known to be missing, so it does not count as lost.
 */
export function judgeFollower({ connections, frames }: Heard, oracle: readonly number[]): FollowVerdict {
  const verdict = { reconnects: connections - 1, due: 0, lost: 0, repeated: 0, disordered: 0, gaps: 0, resyncs: 0 }
  const heard = new Set<number>()
  const excused = new Set<number>()
  let last = -1
  let first = Infinity
  let isAnnounced = true
  for (const { type, offset, after } of frames) {
    if (type === 'ping') continue
    if (type === 'resync') {
      verdict.resyncs++
      isAnnounced = true
    } else if (type === 'snapshot') {
      if (!isAnnounced) verdict.gaps++
      else for (const each of oracle) if (each > last && each <= offset) excused.add(each)
      first = Math.min(first, offset)
      last = offset
      isAnnounced = false
    } else {
      if (heard.has(offset)) verdict.repeated++
      else if (offset <= last) verdict.disordered++
      else if (after !== last) verdict.gaps++
      heard.add(offset)
      last = Math.max(last, offset)
    }
  }
  for (const offset of oracle) {
    if (offset <= first || excused.has(offset)) continue
    verdict.due++
    if (!heard.has(offset)) verdict.lost++
  }
  return verdict
}

/** The verdicts of many followers as one. */
export function sum(verdicts: readonly FollowVerdict[]): FollowVerdict {
  const total = { reconnects: 0, due: 0, lost: 0, repeated: 0, disordered: 0, gaps: 0, resyncs: 0 }
  for (const verdict of verdicts)
    for (const name of Object.keys(total) as (keyof FollowVerdict)[]) total[name] += verdict[name]
  return total
}
