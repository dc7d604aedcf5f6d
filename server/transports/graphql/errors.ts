import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { AppError } from '../../kernel/errors.ts'
import { translate } from '../../kernel/i18n.ts'
import type { Locale } from '../../kernel/schema.ts'
import { problemOf, refusalOf } from '../problem.ts'
import { StoredRefusal } from './context.ts'

export interface Formatting {
  locale: Locale
  requestId: string
  /** Names of fields that somebody may have meant tell the schema to strangers. */
  hidesSuggestions: boolean
  /** Told of what nobody foresaw. */
  log(error: unknown): void
}

/** An error as GraphQL answers it: the text people read, and the problem document's members as extensions. */
export function formatError(error: unknown, options: Formatting): GraphQLFormattedError {
  const { locations, path, originalError } = error instanceof GraphQLError ? error : ({} as Partial<GraphQLError>)
  const where = { ...(locations && { locations }), ...(path && { path }) }
  const cause = unwrapped(originalError ?? error)
  if (cause instanceof StoredRefusal) {
    const { detail, code, status, title, errors } = cause.problem
    return { message: detail, ...where, extensions: { code, status, title, errors, request_id: options.requestId } }
  }
  if (cause instanceof GraphQLError) {
    const { code, status } = cause.message.startsWith('Syntax Error')
      ? new AppError('invalid_input', 'graphql_syntax')
      : new AppError('invalid_input', 'graphql_invalid')
    const message = options.hidesSuggestions ? cause.message.replace(/ Did you mean [\s\S]*$/, '') : cause.message
    const title = translate(options.locale, `errors.${code}`)
    return { message, ...where, extensions: { code, status, title, errors: [], request_id: options.requestId } }
  }
  const refusal = refusalOf(cause)
  if (refusal.kind === 'internal') options.log(refusal.cause ?? cause)
  const { detail, code, status, title, errors, request_id } = problemOf(refusal, options.locale, options.requestId)
  const { retryAfterSeconds } = refusal
  return {
    message: detail,
    ...where,
    extensions: {
      code,
      status,
      title,
      errors,
      request_id,
      ...refusal.members,
      ...(retryAfterSeconds !== undefined && { retry_after_seconds: retryAfterSeconds }),
      ...(code === 'graphql_too_costly' && { cost: refusal.params['cost'], limit: refusal.params['limit'] }),
    },
  }
}

function unwrapped(error: unknown): unknown {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError
  return cause
}
