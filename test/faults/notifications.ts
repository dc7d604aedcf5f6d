import { setTimeout as sleep } from 'node:timers/promises'
import { useSigningKeys } from '../../server/modules/authentication/index.ts'
import type { Direct } from '../../server/kernel/db/index.ts'
import { aTenant } from '../../server/test/factories.ts'
import { twilioLoopback } from '../providers/twilio.ts'
import { ServerProcess } from './processes.ts'
import { freePort } from './proxy.ts'

export interface NotificationsOptions {
  owner: Direct['query']
  /** Settings of the workers: their database and secret. */
  settings: Record<string, string>
  messages: number
  workers: number
  kills: number
  /** Also stops a worker longer than its lease and lets it go on. */
  isStopped: boolean
  /** Lets leases end by the database's clock instead of waiting; only while no worker lives. */
  isLeaseMoved: boolean
  signal: AbortSignal
  maxSeconds: number
  progress(line: string): void
}
export interface NotificationsReport {
  sent: number
  lost: number
  double: number
  /** Texts the provider took from a sender that died before it heard so: whoever sends again without asking doubles them. */
  unanswered: number
  kills: number
  /** From the last kill until nothing was left to send. */
  drainedSeconds: number
}

const LONGER_THAN_A_LEASE_MS = 25_000
const ANSWER_MS = 300

/** Messages and their jobs, as the listener writes them. */
const FILL = `
  with written as (
    insert into messages (tenant_id, direction, site_id, kind, channel, language, address, body, dedupe_key, status, not_after)
    select $1, 'out', $2, 'chat', 'sms', 'fr', '+336' || (30000000 + n), 'message ' || n, 'kill:' || n, 'queued', now() + interval '1 hour'
    from generate_series(1, $3::int) n returning id)
  select app.enqueue_job('notifications.send', json_build_object('tenant_id', $1::bigint, 'message_id', id), null,
    'message:' || $1 || ':' || id) from written`
const LEFT = `select count(*)::int as count from messages where tenant_id = $1 and status in ('queued', 'sending')`
const SENT = `select count(*)::int as count from messages where tenant_id = $1 and status = 'sent'`
const END_LEASES = `
  update messages set claimed_at = claimed_at - interval '1 minute', next_at = next_at - interval '1 minute'
  where tenant_id = $1 and status in ('queued', 'sending')`

/** Workers that send messages to a slow provider, killed and stopped on the way. */
export async function notifications(options: NotificationsOptions): Promise<NotificationsReport> {
  const { owner, settings, progress, signal } = options
  useSigningKeys(settings['SECRET_KEY']!)
  const twilio = await twilioLoopback({ answerMs: ANSWER_MS })
  const { tenant, sites } = await aTenant(owner, { slug: 'kill-senders' })
  await owner(FILL, [tenant.id, sites[0]!.id, options.messages])
  const start = async () =>
    ServerProcess.start(
      {
        ...settings,
        TWILIO_ACCOUNT_SID: twilio.accountSid,
        TWILIO_AUTH_TOKEN: twilio.authToken,
        TWILIO_FROM: '+33700000000',
        TWILIO_BASE_URL: twilio.url,
        METRICS_PORT: String(await freePort()),
      },
      'worker',
    )
  const count = async (sql: string) => (await owner<{ count: number }>(sql, [tenant.id]))[0]!.count
  const workers: ServerProcess[] = []
  let kills = 0
  try {
    for (let i = 0; i < options.workers; i++) workers.push(await start())
    let stopped = Promise.resolve()
    const killed = options.isStopped ? workers.slice(0, -1) : workers
    for (; kills < options.kills && !signal.aborted; kills++) {
      const before = twilio.texts.length
      while (twilio.texts.length < before + 5 && (await count(LEFT)) > 0) await sleep(20)
      if (options.isStopped && kills === 0) stopped = stopForLonger(workers.at(-1)!, signal)
      const worker = killed[kills % killed.length]!
      await worker.kill()
      if (options.isLeaseMoved) await owner(END_LEASES, [tenant.id])
      await worker.start()
      progress(`${kills + 1} killed, ${twilio.texts.length} texts at the provider`)
    }
    const lastKill = performance.now()
    await stopped
    while (!signal.aborted && (await count(LEFT)) > 0 && performance.now() - lastKill < options.maxSeconds * 1000)
      await sleep(200)
    const drainedSeconds = Math.round((performance.now() - lastKill) / 1000)
    // Whoever woke up late has had the time to do harm.
    await sleep(1000)
    const texts = new Set(twilio.texts.map(({ body }) => body))
    return {
      sent: await count(SENT),
      lost: options.messages - texts.size,
      double: twilio.texts.length - texts.size,
      unanswered: twilio.unanswered,
      kills,
      drainedSeconds,
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()))
    await twilio.close()
  }
}

/** In the middle of its work, longer than its lease; then it goes on as if nothing had been. */
async function stopForLonger(worker: ServerProcess, signal: AbortSignal): Promise<void> {
  worker.signal('SIGSTOP')
  await sleep(LONGER_THAN_A_LEASE_MS, undefined, { signal }).catch(() => {})
  worker.signal('SIGCONT')
}
