import type { IncomingMessage } from 'node:http'

/**
 * Exactly one Host, and one of ours: Node lets a second one pass, and what they name may differ for a proxy.
 * `.example.org` includes subdomains; an empty list stands for every loopback name.
 */
export function hostCheck(allowedHosts: readonly string[]): (request: IncomingMessage) => boolean {
  const known = new Map<string, boolean>()
  return ({ rawHeaders, headers: { host } }) => {
    let hosts = 0
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]!
      if (name.length === 4 && name.toLowerCase() === 'host') hosts++
    }
    if (hosts !== 1 || !host) return false
    let allowed = known.get(host)
    if (allowed === undefined) {
      allowed = isNameOfOurs(host, allowedHosts)
      if (known.size < 1000) known.set(host, allowed)
    }
    return allowed
  }
}
const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/
function isNameOfOurs(host: string, allowedHosts: readonly string[]): boolean {
  const name = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase()
  if (!name) return false
  if (allowedHosts.length === 0) return LOOPBACK.test(name)
  return allowedHosts.some(
    (allowed) => allowed === '*' || allowed === name || (allowed.startsWith('.') && `.${name}`.endsWith(allowed)),
  )
}

/** An absolute-form target (RFC 9112 §3.2.2) whose authority is the Host is the same as its path; others match nothing. */
export function originForm(request: { url?: string | undefined; headers: IncomingMessage['headers'] }): string {
  const url = request.url ?? '/'
  if (url.startsWith('/')) return url
  const target = URL.canParse(url) ? new URL(url) : undefined
  return target && target.host === request.headers.host ? target.pathname + target.search : '/%'
}
