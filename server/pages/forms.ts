import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../kernel/errors.ts'
import { translate } from '../kernel/i18n.ts'
import type { Locale } from '../kernel/schema.ts'

/** Fields of a form; those sent several times are lists. */
export type Form = Record<string, string | string[] | undefined>

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** The key that a form was given, by which a second press is the same wish; anything else is no key. */
export const formKey = (value: Form[string]): string | undefined =>
  typeof value === 'string' && UUID.test(value) ? value : undefined

/** One text of a form, without spaces around it; undefined when it was left empty. */
export function textOf(form: Form, name: string): string | undefined {
  const value = form[name]
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? undefined : text
}

/** Routes that read what a browser's form sends. */
export function withForms(app: FastifyInstance, register: (forms: FastifyInstance) => void): void {
  void app.register(async (forms) => {
    // Only here: everywhere else a form's encoding is refused, so no foreign page can post what a browser would send.
    forms.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
      const form: Form = {}
      for (const [name, value] of new URLSearchParams(body as string))
        form[name] = form[name] === undefined ? value : [form[name], value].flat()
      done(null, form)
    })
    register(forms)
  })
}

/** Forms of other sites may not take numbers, book or leave queues in somebody's name. */
export function sameOriginOnly(request: FastifyRequest): void {
  const origin = request.headers['sec-fetch-site']
  if (origin !== undefined && origin !== 'same-origin' && origin !== 'none')
    throw new AppError('forbidden', 'origin_not_allowed')
}

/** Fields whose faults have words that name them. */
const NAMED = /\/(phone|email)$/

/** A refusal as its reader reads it. */
export function sentence(locale: Locale, refusal: AppError): string {
  const [named] = refusal.fields.flatMap(({ path }) => NAMED.exec(path)?.[1] ?? [])
  return named ? translate(locale, `fields.${named}`) : translate(locale, `errors.${refusal.code}`, refusal.params)
}
