import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { notifications } from '../../../test/faults/notifications.ts'
import { testDatabase } from '../../test/harness.ts'

const { owner, url, directUrl } = await testDatabase()
const directory = mkdtempSync(join(tmpdir(), 'smartqueue-senders-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

// The long form, with leases that end by themselves and a worker that is stopped and goes on: npm run test:faults -- --only notifications
test('a sender that is killed loses no message and nobody hears one twice', { timeout: 120_000 }, async () => {
  const report = await notifications({
    owner,
    settings: {
      DATABASE_URL: url,
      DATABASE_DIRECT_URL: directUrl,
      SECRET_KEY: randomBytes(48).toString('base64url'),
      DATA_DIR: directory,
    },
    messages: 40,
    workers: 1,
    kills: 1,
    isStopped: false,
    isLeaseMoved: true,
    signal: new AbortController().signal,
    maxSeconds: 60,
    progress: () => {},
  })
  expect(report).toMatchObject({ sent: 40, lost: 0, double: 0, kills: 1 })
  // Control: some were handed over by a sender that never heard so.
  expect(report.unanswered).toBeGreaterThan(0)
})
