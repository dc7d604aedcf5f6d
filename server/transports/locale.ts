import type { FastifyRequest } from 'fastify'
import { negotiateLocale } from '../kernel/i18n.ts'
import type { Locale } from '../kernel/schema.ts'
import type { Caller } from './authenticate.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once the credential was read; null on routes that need none and before. */
    caller: Caller | null
    /** What the request is measured as, where its route alone does not say. */
    measuredAs: string | null
  }
}

const LOCALES: readonly unknown[] = ['fr', 'en', 'ar'] satisfies Locale[]

/** The language to answer in: a page's `?lang=`, the caller's, what the browser asks for, French. */
export function callerLocale(request: FastifyRequest): Locale {
  const asked = (request.query as Record<string, unknown> | undefined)?.['lang']
  if (LOCALES.includes(asked)) return asked as Locale
  return request.caller?.locale ?? negotiateLocale(request.headers['accept-language'], 'fr')
}
