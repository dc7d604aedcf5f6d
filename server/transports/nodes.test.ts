import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { nodes } from '../../test/faults/nodes.ts'
import { ServerProcess } from '../../test/faults/processes.ts'
import { useSigningKeys } from '../modules/authentication/index.ts'
import { testDatabase } from '../test/harness.ts'

const { owner, url, directUrl } = await testDatabase()

test('of two nodes one is killed and one is stopped: no request fails twice or at all, no follower misses anything', async () => {
  const secretKey = randomBytes(48).toString('base64url')
  useSigningKeys(secretKey)
  const settings = {
    DATABASE_URL: url,
    DATABASE_DIRECT_URL: directUrl,
    SECRET_KEY: secretKey,
    DATA_DIR: tmpdir(),
    // On a busy machine the balancer looks less often than it means to.
    STOP_NOTICE_MS: '6000',
  }
  const servers = await Promise.all([1, 2].map(() => ServerProcess.start(settings, 'api,realtime')))
  try {
    const report = await nodes({ owner, servers, slug: 'two-nodes', followers: 8, kills: 1, stops: 1, restMs: 700 })
    expect(report.killed.failedTwice).toBe(0)
    expect(report.stopped).toMatchObject({ failed: 0, failedTwice: 0 })
    expect(report.double).toBe(0)
    expect(report.followers).toMatchObject({ lost: 0, repeated: 0, disordered: 0, gaps: 0, resyncs: 0 })
    expect(report.followers.due).toBeGreaterThan(0)
    // Controls: both were felt, by requests or at least by followers.
    expect(Object.keys(report.killed.closes)).toContain('1006')
    expect(Object.keys(report.stopped.closes)).toEqual(['1012'])
    expect(report.hints).toBeGreaterThan(0)
    expect(servers.map(({ unexpectedEnds }) => unexpectedEnds)).toEqual([0, 0])
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}, 180_000)
