import type { Operation } from '../../sdk/src/operation.ts'
import { currentLanguage } from '../ui/messages.ts'

export type { Operation }

/** A refusal: RFC 9457, in the reader's language. `status` 0: the server was not reached. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly errors: readonly { path: string; code: string; detail: string }[]
  constructor(status: number, body: { title?: string; code?: string; errors?: Problem['errors'] }) {
    super(body.title ?? body.code ?? String(status))
    this.status = status
    this.code = body.code ?? 'unreachable'
    this.errors = body.errors ?? []
  }
}

export interface CallOptions {
  /** `Authorization: Bearer`; without it the browser's session cookie counts. */
  token?: string
  /** Of the console session, for changes. */
  csrf?: string
  /** Repeating a change with the same key changes nothing a second time; one is made when absent. */
  key?: string
  /** The change is refused (412) when somebody else changed the thing since this version was read. */
  ifMatch?: string
  /** Told which version was read. */
  onEtag?(etag: string): void
  signal?: AbortSignal
}

/**
 * Runs an operation: path parameters are taken out of the input, the rest goes into the query or the body.
 * @throws Problem when it is refused, or when the server is not reached
 */
export async function call<Input, Output>(
  { method, path }: Operation<Input, Output>,
  input: Input,
  { token, csrf, key, ifMatch, onEtag, signal }: CallOptions = {},
): Promise<Output> {
  const rest = { ...(input as Record<string, unknown>) }
  const url = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(rest[name])
    delete rest[name]
    return encodeURIComponent(value)
  })
  const isRead = method === 'GET' || method === 'DELETE'
  const query = new URLSearchParams()
  if (isRead)
    for (const name of Object.keys(rest))
      for (const each of [rest[name]].flat()) if (each !== undefined && each !== null) query.append(name, String(each))
  const search = query.toString()
  const headers: Record<string, string> = { accept: 'application/json', 'accept-language': currentLanguage() }
  if (token) headers['authorization'] = `Bearer ${token}`
  if (csrf) headers['x-csrf-token'] = csrf
  if (ifMatch) headers['if-match'] = ifMatch
  if (!isRead) headers['content-type'] = 'application/json'
  if (method === 'POST') headers['idempotency-key'] = key ?? newKey()
  const response = await fetch(search ? `${url}?${search}` : url, {
    method,
    headers,
    ...(!isRead && { body: JSON.stringify(rest) }),
    ...(signal && { signal }),
  }).catch((error: unknown) => {
    throw new Problem(0, { title: String(error) })
  })
  const text = await response.text()
  // JSON lines (`application/x-ndjson`) are not one value.
  const body: unknown =
    text && /[/+]json\b/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text || null
  if (!response.ok) throw new Problem(response.status, (body ?? {}) as object)
  const etag = response.headers.get('etag')
  if (etag) onEtag?.(etag)
  return body as Output
}

/** A UUID also where `crypto.randomUUID` is missing: old televisions, and pages without TLS in a local network. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
