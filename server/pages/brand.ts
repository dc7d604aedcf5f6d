import type { FastifyInstance } from 'fastify'
import { brandContrast, darker, LEAST_CONTRAST } from '../../shared/contrast.ts'
import { notFound } from '../kernel/errors.ts'
import type { Tenant } from '../kernel/operation.ts'
import type { Locale } from '../kernel/schema.ts'

/** Address of the style sheet that gives a page this colour; its bytes follow from its name. */
export const brandAddress = (colour: string): string => `/brand/${colour.slice(1)}.css`

/** Colours of organisations, for what visitors press. One that cannot be read is not served. */
export function brandStyles(app: FastifyInstance): void {
  app.get<{ Params: { file: string } }>('/brand/:file', (request, reply) => {
    const digits = /^([0-9A-F]{6})\.css$/.exec(request.params.file)?.[1]
    if (digits === undefined || brandContrast(`#${digits}`) < LEAST_CONTRAST) throw notFound()
    const colour = `#${digits}`
    return reply
      .header('cache-control', 'public, max-age=31536000, immutable')
      .type('text/css; charset=utf-8')
      .send(`:root{--primary:${colour};--primary-hover:${darker(colour, 0.2)}}`)
  })
}

/** The language wanted where the organisation serves visitors in it, else its own. */
export function offeredLocale({ languages, locale }: Tenant, wanted: Locale): Locale {
  if (!languages || languages.includes(wanted)) return wanted
  return languages.includes(locale) ? locale : (languages[0] ?? wanted)
}
