import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { Database } from '../kernel/db/index.ts'
import { notFound } from '../kernel/errors.ts'
import { exportFile } from '../modules/analytics/index.ts'

/** Files that somebody asked for, by their short-lived links: read piece by piece, as fast as the client takes them. */
export function exportFiles(app: FastifyInstance, db: Database): void {
  app.get<{ Params: { token: string } }>('/exports/:token', async (request, reply) => {
    const file = await exportFile(db, request.params.token)
    if (!file) throw notFound()
    return reply
      .header('cache-control', 'no-store')
      .header('content-disposition', `attachment; filename="${file.name}"`)
      .header('content-length', file.size)
      .type(file.type)
      .send(Readable.from(file.pieces(), { objectMode: false, highWaterMark: 1 }))
  })
}
