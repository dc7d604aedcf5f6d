import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { webhooks } from '../../../test/faults/webhooks.ts'
import { testDatabase } from '../../test/harness.ts'

const { owner, url, directUrl } = await testDatabase()

// The long form, with its times: npm run test:faults -- --only webhooks
test(
  'a sender that is killed leaves no event untold; a silent receiver keeps no other waiting',
  { timeout: 120_000 },
  async () => {
    const report = await webhooks({
      owner,
      settings: {
        DATABASE_URL: url,
        DATABASE_DIRECT_URL: directUrl,
        SECRET_KEY: randomBytes(48).toString('base64url'),
        DATA_DIR: tmpdir(),
      },
      events: 48,
      kills: 1,
      signal: new AbortController().signal,
      maxSeconds: 60,
      progress: () => {},
    })
    expect(report).toMatchObject({ heard: 48, lost: 0, kills: 1 })
    expect(report.again).toBeLessThanOrEqual(report.onTheirWay)
    // Controls: some were on their way at the kill; the silent one was asked all the time.
    expect(report.onTheirWay).toBeGreaterThan(0)
    expect(report.besideSilence.stillSilent).toBeGreaterThan(0)
    expect(report.besideSilence.events).toBe(20)
  },
)
