/** A message as providers take it. */
export interface Outgoing {
  tenant_id: number
  id: number
  channel: 'sms' | 'whatsapp' | 'email'
  address: string
  subject: string
  body: string
  /** RFC 3339; when the first attempt began. */
  since: string
}
/**
 * What came of an attempt. `unknown`: the provider may have taken it. It is asked, where it can be, before anything is
 * sent again.
 */
export type Outcome =
  | { state: 'sent'; provider_id: string }
  | { state: 'refused'; code: string }
  | { state: 'busy'; retry_after_seconds?: number }
  | { state: 'unknown' }

export interface Provider {
  name: string
  send(message: Outgoing): Promise<Outcome>
  /** Ids of what the provider took since then with this text for this address, first first: this message may be one. */
  find?(message: Outgoing): Promise<string[]>
}

/** An answer may take so long; after it nobody knows what became of the message. */
export const PATIENCE_MS = 8_000

/** Was the connection never made? Then nothing was handed over. */
export function neverConnected(error: unknown): boolean {
  const code = (error as { cause?: { code?: string } }).cause?.code ?? ''
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'].includes(
    code,
  )
}

/** Seconds of a Retry-After header, at most an hour. */
export function retryAfter(headers: Headers): { retry_after_seconds?: number } {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? { retry_after_seconds: Math.min(seconds, 3600) } : {}
}
