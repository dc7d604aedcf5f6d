import { monotonicMs, now } from '../../../kernel/clock.ts'
import { ask, OutboundError } from '../../../kernel/http.ts'
import { checkSending } from '../../../kernel/sending.ts'
import { publicEvent } from '../event.ts'
import { openSecret, signedHeaders } from '../secret.ts'
import { webhookPolicy } from '../settings.ts'
import { restMs, waitMs } from './schedule.ts'
import type { Claimed, Result } from './store.ts'

/** Of an answer's body, in the record. */
const KEPT_BYTES = 4096
const GONE = 410

/** Sends an event once and says what is to be done about the answer. Never throws for what a receiver does. */
export async function attempt(tenant: string, claimed: Claimed): Promise<Result & { isGone: boolean }> {
  checkSending()
  const { data } = claimed
  if (data === null) return forgotten
  const event = publicEvent(tenant, { ...claimed, data })
  const body = JSON.stringify(event)
  const secrets = [claimed.secret, claimed.former_secret].filter((each) => each !== null).map(openSecret)
  const began = monotonicMs()
  const result = (
    error_code: string | null,
    answer?: { status: number; body: Buffer; retryAfter?: string | undefined },
  ) => {
    const wait = error_code === null ? 0 : waitMs(claimed.step)
    const rest = restMs(answer?.retryAfter, now())
    const isGone = answer?.status === GONE
    return {
      status: error_code === null ? 'delivered' : wait === undefined || isGone ? 'failed' : 'pending',
      status_code: answer?.status ?? null,
      error_code,
      duration_ms: Math.round(monotonicMs() - began),
      request_body: body,
      response_body: answer ? textOf(answer.body) : null,
      wait_ms: Math.max(wait ?? 0, rest ?? 0),
      rest_ms: error_code === null ? null : (rest ?? null),
      isGone,
    } as const
  }
  try {
    const answer = await ask(
      new URL(claimed.url),
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
          'user-agent': 'SmartQueue-Webhooks/1',
          ...signedHeaders(event.id, claimed.now, body, secrets),
        },
        body,
      },
      webhookPolicy(),
    )
    const { status, headers } = answer
    const code = status >= 200 && status < 300 ? null : status >= 300 && status < 400 ? 'redirect_refused' : 'status'
    return result(code, { status, body: answer.body, retryAfter: headers['retry-after'] })
  } catch (error) {
    if (error instanceof OutboundError) return result(error.code)
    throw error
  }
}

const forgotten = {
  status: 'failed',
  status_code: null,
  error_code: 'event_forgotten',
  duration_ms: 0,
  request_body: '',
  response_body: null,
  wait_ms: 0,
  rest_ms: null,
  isGone: false,
} as const

/** What a person can read of it: PostgreSQL keeps no NUL, and half a character is none. */
const textOf = (body: Buffer): string =>
  body.subarray(0, KEPT_BYTES).toString('utf8').replaceAll('\0', '\uFFFD').toWellFormed()
