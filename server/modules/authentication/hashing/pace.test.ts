import { expect, test } from 'vitest'
import { restAfter } from './pace.ts'

test('who had to wait for the processor rests for what it did, not for how long it waited', () => {
  const waited = 300
  let wallMs = 0
  const rest = restAfter(() => {
    const started = performance.now()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waited)
    wallMs = performance.now() - started
  })
  expect(rest).toBeLessThan(waited / 2)
  // Control: by the clock on the wall it would rest for longer than it waited.
  expect(2 * wallMs).toBeGreaterThan(waited)
})

test('who was at work rests twice as long', () => {
  const before = process.threadCpuUsage()
  const rest = restAfter(() => {
    for (;;) {
      const { user, system } = process.threadCpuUsage(before)
      if (user + system > 30_000) return
    }
  })
  expect(rest).toBeGreaterThan(50)
})
