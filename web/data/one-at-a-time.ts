/** Whoever has no answer for so long asks again. */
const PATIENCE_MS = 15_000

/** Begins the work unless it is under way: on a slow line what is asked again and again does not pile up. */
export function oneAtATime(work: () => Promise<unknown>): () => void {
  let begunAt = -Infinity
  return () => {
    const now = performance.now()
    if (now - begunAt < PATIENCE_MS) return
    begunAt = now
    void work().finally(() => {
      if (begunAt === now) begunAt = -Infinity
    })
  }
}
