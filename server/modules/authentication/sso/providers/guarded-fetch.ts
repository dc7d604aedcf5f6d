import { lookup } from 'node:dns/promises'
import { ask, isPublicAddress } from '../../../../kernel/http.ts'

/** An address that an administrator typed may name anything, so nothing but the public internet is asked. */
const TIMEOUT_MS = 10_000
const MAX_BYTES = 512 * 1024

/**
 * `fetch` for servers that an organisation names: https only, public addresses only, no redirects, ten seconds and half a
 * megabyte unless the caller says otherwise.
 * @param isDevelopment loopback and plain http too
 */
export function guardedFetch(isDevelopment: boolean, { timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES } = {}) {
  const policy = {
    timeoutMs,
    maxBytes,
    resolve: async (hostname: string) => (await lookup(hostname, { all: true })).map(({ address }) => address),
    isAllowed: (address: string) => isDevelopment || isPublicAddress(address),
  }
  return async (
    url: string,
    { method, headers, body }: { method: string; headers: Record<string, string>; body?: unknown },
  ): Promise<Response> => {
    const target = new URL(url)
    if (target.protocol !== 'https:' && !(isDevelopment && target.protocol === 'http:')) throw new Error('only https')
    const payload = body === undefined || body === null ? undefined : String(body as string | URLSearchParams)
    const answer = await ask(target, { method, headers, body: payload }, policy)
    if (answer.status >= 300 && answer.status < 400) throw new Error('redirects are not followed')
    if (answer.isTruncated) throw new Error('the answer is too large')
    const fields = Object.entries(answer.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    )
    return new Response(answer.status === 204 ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: fields,
    })
  }
}
