/** So many times as long as it took: a flood has a third of a core, for priority alone spares no cache. */
const REST = 2

/**
 * Does `work` and tells for how many milliseconds to rest afterwards. Counts the processor's time: what waited for a processor that
 * others wanted has rested already, and whoever is next in line would wait three times.
 */
export function restAfter(work: () => void): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (REST * (user + system)) / 1000
}
