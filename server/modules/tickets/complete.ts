import Type from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { AppError } from '../../kernel/errors.ts'
import { batchOperation, type Context } from '../../kernel/operation.ts'
import { Closed, Id, Text } from '../../kernel/schema.ts'
import { queueConfig } from '../queues/index.ts'
import { mergeFields } from './rules.ts'
import { Fields, Ticket } from './schema.ts'
import type { Row } from './sql.ts'
import { ended, freeSeat, transitions, type Step } from './transition.ts'

const Input = Closed({
  id: Id,
  outcome: Type.Optional(Text(100, { minLength: 1 })),
  fields: Type.Optional(Fields),
  /** The agent still has to write something up, and is called nobody meanwhile. */
  wrap_up: Type.Optional(Type.Boolean({ default: false })),
})
type Input = Type.Static<typeof Input>

/** The person was served. */
export const complete = batchOperation({
  id: 'tickets.complete',
  kind: 'mutation',
  summary: 'Finish serving a ticket',
  description:
    'Refused while an answer the service requires is missing (`required_fields_missing`); `outcome` may be one of them. Can be undone for 2 minutes.',
  scope: 'call:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{id}/complete/' },
  input: Input,
  output: Ticket,
  example: { input: { id: 1, outcome: 'resolved' } },
  pool: 'calls',

  runMany: (ctx, calls) =>
    transitions(
      ctx,
      'complete',
      calls.map(({ actor, input }) => ({ id: input.id, actor, decide: (row) => completeStep(ctx, row, input) })),
    ),
})

/** What completion writes. @throws AppError conflict `required_fields_missing` */
export async function completeStep(ctx: Context, row: Row, input: Omit<Input, 'id'>): Promise<Step> {
  const { service } = await queueConfig(ctx, row.queue_id)
  const outcome = input.outcome ?? row.outcome
  const fields = mergeFields(row.fields, input.fields)
  const answers: Record<string, unknown> = { ...fields, outcome }
  const missing = service.required_fields.filter((name) => isEmpty(answers[name]))
  if (missing.length) {
    throw new AppError('conflict', 'required_fields_missing', {
      fields: missing.map((name) => ({ path: name === 'outcome' ? '/outcome' : `/fields/${name}`, code: 'required' })),
    })
  }
  return {
    changes: { ...ended(row), outcome, fields },
    seat: freeSeat(row, input.wrap_up ? 'wrap_up' : 'available'),
  }
}
const isEmpty = (value: unknown) => value === undefined || value === null || value === ''
