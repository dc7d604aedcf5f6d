import Type, { type Static } from 'typebox'
import { operation, type Operation } from '../operation.ts'
import { Closed, Id, Time } from '../schema.ts'

const Message = Closed({
  id: Id,
  channel: Type.String(),
  recipient: Type.String(),
  subject: Type.String(),
  body: Type.String(),
  created_at: Time,
})

const outbox = operation({
  id: 'mail.outbox',
  kind: 'query',
  summary: 'List messages that nobody sends',
  description: 'Without SMTP_URL, and without keys of other providers, messages land here, the last hundred first.',
  scope: 'admin:tenant',
  roles: ['operator', 'system'],
  http: { method: 'GET', path: '/platform/outbox/', base: 'root' },
  input: Closed({}),
  output: Closed({ results: Type.Array(Message) }),
  example: { input: {} },
  run: async ({ tx }) => ({
    results: await tx.query<Static<typeof Message>>(
      'select id, channel, recipient, subject, body, created_at from outbox_messages order by id desc limit 100',
    ),
  }),
})

export const operations: readonly Operation[] = [outbox]
