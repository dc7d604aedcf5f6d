import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Report, reports } from '../modules/notifications/index.ts'

/** SendGrid sends its events by the hundred. */
const MAX_BODY_BYTES = 1_048_576

const reportOf = (request: FastifyRequest): Report => ({
  path: request.url,
  headers: request.headers,
  body: (request.body as Buffer | undefined) ?? Buffer.alloc(0),
  requestId: request.id,
})

/** Where message providers report to. Bodies stay as they came: their signatures are over bytes. */
export function webhooks(app: FastifyInstance, take: ReturnType<typeof reports>): void {
  app.register((scope, _, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      ['application/json', 'application/x-www-form-urlencoded'],
      { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
      (_request, body, parsed) => parsed(null, body),
    )
    scope.post<{ Params: { tenant: string; message: string } }>(
      '/webhooks/twilio/status/:tenant/:message',
      async (request, reply) => {
        await take.twilioStatus(reportOf(request), Number(request.params.tenant), Number(request.params.message))
        return reply.code(204).send()
      },
    )
    scope.post('/webhooks/twilio/inbound', async (request, reply) => {
      await take.twilioInbound(reportOf(request))
      return reply.type('text/xml; charset=utf-8').send('<Response/>')
    })
    scope.post('/webhooks/sendgrid', { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
      await take.sendgridEvents(reportOf(request))
      return reply.code(204).send()
    })
    done()
  })
}
