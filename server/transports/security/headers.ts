import { randomBytes } from 'node:crypto'

/** What every answer says: no sniffing, no framing, no other window's hand on ours, nothing of the address passed on. */
export const securityHeaders = (isSecure: boolean): Record<string, string> => ({
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'camera=(self), microphone=(), geolocation=(self), payment=(), usb=(), publickey-credentials-get=(self)',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  ...(isSecure && { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }),
})

export const newNonce = (): string => randomBytes(16).toString('base64')

/**
 * The policy of a page: scripts only with this answer's nonce and what they load themselves, no markup from text
 * (Trusted Types), nothing from anybody else, no frames.
 */
export const pagePolicy = (nonce: string): string =>
  `default-src 'self'; script-src 'nonce-${nonce}' 'strict-dynamic'; require-trusted-types-for 'script'; ` +
  `trusted-types 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`
