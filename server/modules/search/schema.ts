import Type, { type Static } from 'typebox'
import { Closed, Enum, Id, Nullable, Time } from '../../kernel/schema.ts'

export const KINDS = ['ticket', 'customer', 'appointment'] as const
export type Kind = (typeof KINDS)[number]

/** Something that was found, with what a line of a list shows of it. */
export const Hit = Closed({
  kind: Enum(KINDS),
  id: Id,
  score: Type.Number({ minimum: 0, maximum: 1, description: '1 when every word typed is a word of it' }),
  title: Type.String({ description: 'Number of the ticket, name of the person, name or code of the appointment' }),
  detail: Type.String({ description: 'Who has the ticket; phone and e-mail of the person; code of the appointment' }),
  status: Nullable(Type.String({ description: 'Of a ticket or an appointment' })),
  site_id: Nullable(Id),
  queue_id: Nullable(Id),
  customer_id: Nullable(Id),
  at: Type.Unsafe<string>({ ...Time, description: 'When it was taken, when it begins, when the person first came' }),
})
export type Hit = Static<typeof Hit>

export const ENGINES = ['postgresql', 'opensearch'] as const
export type EngineName = (typeof ENGINES)[number]
