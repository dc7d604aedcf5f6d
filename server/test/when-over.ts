/** What the test file that runs now has opened, wherever it did: in a hook or a test no `afterAll` can be added any more. */
const closers: (() => unknown)[] = []

/** Calls `close` after the file's last test and its own hooks; what was opened last is closed first. */
export function whenOver(close: () => unknown): void {
  closers.push(close)
}

export async function closeAll(): Promise<void> {
  const failures: unknown[] = []
  for (let close = closers.pop(); close; close = closers.pop()) {
    try {
      await close()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
