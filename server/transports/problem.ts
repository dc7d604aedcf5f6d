import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, notFound } from '../kernel/errors.ts'
import { translate } from '../kernel/i18n.ts'
import type { Locale } from '../kernel/schema.ts'
import { callerLocale } from './locale.ts'
import { allowPage } from './security/headers.ts'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** RFC 9457, in the caller's language. `code` is stable; the texts are for people. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: string
  errors: { path: string; code: string; detail: string }[]
  request_id: string
  /** Members of one code alone, such as the `challenge` of `challenge_required`. */
  [member: string]: unknown
}

/** The problem document of a refusal. Says nothing of what was thrown beyond its code and the catalogue's text. */
export function problemOf(error: AppError, locale: Locale, requestId: string): Problem {
  const title = translate(locale, `errors.${error.code}`, error.params)
  const errors = error.fields.map(({ path, code, params = {} }) => ({
    path,
    code,
    detail: translate(locale, `fields.${code}`, params),
  }))
  return {
    type: `/errors/${error.code}`,
    title,
    status: error.status,
    detail:
      errors.length > 0
        ? errors.map(({ path, detail }) => (path.length > 1 ? `${path.slice(1)}: ${detail}` : detail)).join(' ')
        : title,
    code: error.code,
    errors,
    request_id: requestId,
    ...error.members,
  }
}

/** Fastify's own refusals, by their codes. */
const FRAMEWORK: Record<string, () => AppError> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => new AppError('unsupported_media_type', 'unsupported_media_type'),
  FST_ERR_CTP_BODY_TOO_LARGE: () => new AppError('too_large', 'payload_too_large'),
  FST_ERR_CTP_INVALID_JSON_BODY: () => new AppError('invalid_input', 'malformed_json'),
  FST_ERR_BAD_URL: notFound,
  FST_ERR_MAX_PARAM_LENGTH: notFound,
}

/** What any error means to the caller: refusals keep their code, the framework's are translated, all else is internal. */
export function refusalOf(error: unknown): AppError {
  if (error instanceof AppError) return error
  const { code = '', statusCode = 500 } = error as Partial<FastifyError>
  const known = FRAMEWORK[code]
  if (known) return known()
  if (statusCode < 500) return new AppError('invalid_input', 'malformed_request')
  return new AppError('internal', 'internal', { cause: error })
}

declare module 'fastify' {
  interface FastifyInstance {
    /** How a browser is told of a refusal; null where only programs ask. */
    errorPage: ((refusal: AppError, locale: Locale) => string) | null
  }
}

/** Answers with a problem document, or a page where a browser asks for one. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const refusal = refusalOf(error)
  const locale = callerLocale(request)
  if (refusal.kind === 'internal') request.log.error({ err: refusal.cause ?? refusal }, 'request failed')
  if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', String(refusal.retryAfterSeconds))
  if (refusal.kind === 'unauthorized') reply.header('www-authenticate', 'Bearer')
  reply.code(refusal.status).header('content-language', locale).header('cache-control', 'no-store')
  const { errorPage } = request.server
  if (errorPage && prefersHtml(request)) {
    allowPage(reply)
    return reply.type('text/html; charset=utf-8').send(errorPage(refusal, locale))
  }
  return reply.type(PROBLEM_TYPE).send(JSON.stringify(problemOf(refusal, locale, request.id)))
}

/** Browsers name text/html before or above JSON; clients that take anything get JSON. */
export function prefersHtml({ headers }: FastifyRequest): boolean {
  const accept = headers.accept ?? ''
  const [html, json] = [wishFor(accept, 'text/html'), wishFor(accept, 'application/json')]
  if (html.weight === 0) return false
  return html.weight > json.weight || (html.weight === json.weight && html.at < json.at)
}

/** How much of a type is wanted, from 0 to 1, and where in the header it stands (RFC 9110 §12.5.1). */
function wishFor(accept: string, type: string): { weight: number; at: number } {
  const at = accept.indexOf(type)
  if (at < 0) return { weight: 0, at }
  const given = /^\s*;\s*q=([\d.]+)/i.exec(accept.slice(at + type.length))?.[1]
  const weight = given === undefined ? 1 : Number(given)
  return { weight: weight >= 0 && weight <= 1 ? weight : 0, at }
}
