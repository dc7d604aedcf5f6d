import type { FastifyRequest } from 'fastify'
import { negotiateLocale } from '../kernel/i18n.ts'
import type { Locale } from '../kernel/schema.ts'
import { askedLocale, type Caller } from './authenticate.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once the credential was read; null on routes that need none and before. */
    caller: Caller | null
    /** What the request is measured as, where its route alone does not say. */
    measuredAs: string | null
  }
}

/** The language to answer in: `?lang=`, the caller's, what the browser asks for, French. */
export function callerLocale(request: FastifyRequest): Locale {
  return askedLocale(request) ?? request.caller?.locale ?? negotiateLocale(request.headers['accept-language'], 'fr')
}
