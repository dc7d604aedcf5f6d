import type { FastifyInstance } from 'fastify'
import { notFound } from '../kernel/errors.ts'
import {
  mediaFile,
  MOST_UPLOAD_BYTES,
  storage,
  takeUpload,
  type MediaAddress,
  type Uploads,
} from '../modules/media/index.ts'
import { rangeOf } from './voice.ts'

/** A refusal has arrived by then. */
const REFUSED_WITHIN_MS = 500

/** Uploads, and what was uploaded: whole or by range, as players of films ask for it. */
export function media(app: FastifyInstance, uploads: Uploads): void {
  app.register((scope, _, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { bodyLimit: MOST_UPLOAD_BYTES }, (_request, payload, parsed) =>
      parsed(null, payload),
    )
    scope.put<{ Params: { token: string } }>(
      '/media/upload/:token',
      { bodyLimit: MOST_UPLOAD_BYTES },
      async (request, reply) => {
        const bytes = (request.body as typeof request.raw | undefined) ?? request.raw
        // Who is refused half way is told so, and then heard no more.
        reply.raw.once('finish', () => {
          if (!request.raw.readableEnded) setTimeout(() => request.raw.destroy(), REFUSED_WITHIN_MS).unref()
        })
        const taken = await takeUpload(uploads, { token: request.params.token, bytes, requestId: request.id })
        return reply.code(201).send(taken)
      },
    )
    done()
  })
  app.get<{ Params: Pick<MediaAddress, 'tenant' | 'id' | 'variant'>; Querystring: Record<string, unknown> }>(
    '/media/:tenant/:id/:variant',
    async (request, reply) => {
      const { expires, signature } = request.query
      const address = { ...request.params, expires: String(expires), signature: String(signature) }
      const file = await mediaFile(uploads.runtime.db, address)
      if (!file) throw notFound()
      const { size_bytes: size, type } = file
      reply
        .header('cache-control', `private, max-age=${file.secondsLeft}, immutable`)
        .header('accept-ranges', 'bytes')
        // Whatever it is, it is shown as what it was found to be, and runs nothing.
        .header('content-security-policy', "default-src 'none'; sandbox")
        .header('content-disposition', 'inline')
        .header('x-robots-tag', 'noindex')
        .type(type)
      const range = rangeOf(request.headers.range, size)
      if (range === null) return reply.code(416).header('content-range', `bytes */${size}`).send()
      const [first, last] = range ?? [0, size - 1]
      if (range) reply.code(206).header('content-range', `bytes ${first}-${last}/${size}`)
      reply.header('content-length', last - first + 1)
      if (request.method === 'HEAD') return reply.send()
      return reply.send(await storage().read(file.key, range))
    },
  )
}
