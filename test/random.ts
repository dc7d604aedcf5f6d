/** Numbers in [0, 1), always the same for a seed, so that a failure can be seen again (mulberry32). */
export function randomizer(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    const a = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    const b = (a + Math.imul(a ^ (a >>> 7), 61 | a)) ^ a
    return ((b ^ (b >>> 14)) >>> 0) / 2 ** 32
  }
}
