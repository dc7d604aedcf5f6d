import { isIPv4, isIPv6 } from 'node:net'
import { LRUCache } from 'lru-cache'
import { upTo } from '../up-to.ts'

/** Where a request came from, as the transport saw it. */
export interface Origin {
  /** The client's address; of X-Forwarded-For only behind a trusted proxy. */
  address: string
  userAgent: string | undefined
}

const prefixes = new LRUCache<string, string>(upTo(20_000))

/**
 * The network an address belongs to: /24 of IPv4, /56 of IPv6 (what one household or office is given). This much is
 * kept and counted, never the address itself. Anything else is `unknown`.
 */
export function addressPrefix(address: string): string {
  let prefix = prefixes.get(address)
  if (prefix === undefined) prefixes.set(address, (prefix = prefixOf(address)))
  return prefix
}

function prefixOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
  if (isIPv4(mapped)) return `${mapped.slice(0, mapped.lastIndexOf('.'))}.0/24`
  if (!isIPv6(address)) return 'unknown'
  const groups = expand(address.replace(/%.*$/, ''))
  const [a, b, c, d] = groups.map((group) => Number.parseInt(group, 16))
  return `${[a, b, c, d! & 0xff00].map((group) => group!.toString(16)).join(':')}::/56`
}

/** The eight groups of an IPv6 address. */
function expand(address: string): string[] {
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  if (tail === undefined) return left
  const right = tail === '' ? [] : tail.split(':')
  return [...left, ...Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0'), ...right]
}

/** In the order they are looked for: browsers name those they descend from. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|Opera)\//, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/Version\/[\d.]+.*Safari\//, 'Safari'],
  [/^([A-Za-z][\w.-]{0,30})(\/|$)/, '$1'],
]
const families = new LRUCache<string, string>({ max: 1000 })

/** What kind of program asked, without its version: `Firefox`, `curl`, `other`. */
export function userAgentFamily(userAgent: string | undefined): string | null {
  if (!userAgent) return null
  const text = userAgent.slice(0, 300)
  let family = families.get(text)
  if (family === undefined) {
    family = 'other'
    for (const [pattern, name] of FAMILIES) {
      const match = pattern.exec(text)
      if (!match) continue
      family = name === '$1' ? match[1]! : name
      break
    }
    families.set(text, family)
  }
  return family
}
