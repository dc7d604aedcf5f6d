import { randomBytes } from 'node:crypto'
import type { FastifyReply } from 'fastify'

const permissions = (wires: string) => `camera=(self), geolocation=(self), microphone=(), payment=(), ${wires}`

/** What every answer says: no sniffing, no framing, no other window's hand on ours, nothing of the address passed on. */
export const securityHeaders = (isSecure: boolean): Record<string, string> => ({
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': permissions('usb=(), serial=()'),
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  ...(isSecure && { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }),
})

/**
 * Lets a page run its own scripts: those with this answer's nonce and what they import, nothing inline, no markup made
 * from text (Trusted Types), nothing of anybody else's, no frame around it. A page with a service worker may name its
 * address: one policy, `smartqueue-worker`, which knows no other.
 * @returns the nonce for its script elements
 */
export function allowPage(reply: FastifyReply, { hasWorker = false } = {}): string {
  const nonce = randomBytes(16).toString('base64')
  const worker = hasWorker ? "worker-src 'self'; trusted-types smartqueue-worker" : "trusted-types 'none'"
  reply.header(
    'content-security-policy',
    `default-src 'self'; script-src 'nonce-${nonce}' 'strict-dynamic'; require-trusted-types-for 'script'; ` +
      `${worker}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  )
  return nonce
}

/** Lets a page speak to a printer that somebody has chosen for it. */
export const allowPrinter = (reply: FastifyReply): FastifyReply =>
  reply.header('permissions-policy', permissions('usb=(self), serial=(self)'))
