import type { FastifyInstance } from 'fastify'
import type { Database } from '../kernel/db/index.ts'
import { notFound } from '../kernel/errors.ts'
import { voiceFile } from '../modules/displays/index.ts'

/** The address changes with the content. */
const IMMUTABLE = 'public, max-age=31536000, immutable'

/** Clips that displays speak with, whole or by range, as players ask for them. */
export function voice(app: FastifyInstance, db: Database): void {
  app.get<{ Params: { folder: string; file: string }; Querystring: { text?: string } }>(
    '/voice/:folder/:file',
    async (request, reply) => {
      const { folder, file } = request.params
      const { text } = request.query
      const found = await voiceFile(db, folder, file, typeof text === 'string' ? text : undefined)
      if (!found) throw notFound()
      const { type, bytes } = found
      reply.header('cache-control', IMMUTABLE).header('accept-ranges', 'bytes').type(type)
      const range = rangeOf(request.headers.range, bytes.length)
      if (range === null) return reply.code(416).header('content-range', `bytes */${bytes.length}`).send()
      if (range === undefined) return reply.send(bytes)
      const [first, last] = range
      return reply
        .code(206)
        .header('content-range', `bytes ${first}-${last}/${bytes.length}`)
        .send(bytes.subarray(first, last + 1))
    },
  )
}

/**
 * First and last byte of a Range header (RFC 9110 §14.1.2); undefined: the whole, also for several ranges, which a
 * server may ignore; null: beyond the end.
 */
export function rangeOf(header: string | undefined, size: number): readonly [number, number] | undefined | null {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (from === undefined || (from === '' && to === '')) return undefined
  if (from === '') return Number(to) === 0 ? null : [Math.max(0, size - Number(to)), size - 1]
  const first = Number(from)
  const last = to ? Math.min(Number(to), size - 1) : size - 1
  if (first >= size) return null
  return first > last ? undefined : [first, last]
}
