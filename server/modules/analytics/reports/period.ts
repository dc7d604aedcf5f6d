import Type from 'typebox'
import type { Tx } from '../../../kernel/db/types.ts'
import { invalid } from '../../../kernel/errors.ts'
import type { Context } from '../../../kernel/operation.ts'
import { Day, Enum, Id } from '../../../kernel/schema.ts'
import { CHANNELS } from '../../tickets/index.ts'

/** Without a period: four weeks up to today. */
const DEFAULT_DAYS = 28
const MOST_DAYS = 1830

const periodFields = {
  from: Type.Optional(Day),
  to: Type.Optional(Day),
}
/** Local days, both included, and where; the whole organisation when nothing is said. */
export const wantedFields = {
  ...periodFields,
  site_id: Type.Optional(Id),
  queue_id: Type.Optional(Id),
  service_id: Type.Optional(Id),
}
/** One channel or agent of it: read from the tickets themselves. */
export const narrowedFields = {
  ...wantedFields,
  channel: Type.Optional(Enum(CHANNELS)),
  agent_id: Type.Optional(Id),
}
/** What is said of every report that takes them. */
export const NARROWED =
  'Of one channel or one agent (who had called last), figures are read from the tickets: at most 92 days, as far back as they are kept.'
export interface Period {
  from: string
  to: string
}
export const periodOutput = { from: Type.String({ format: 'date' }), to: Type.String({ format: 'date' }) }

/** Days between two local days, both included. */
export const daysOf = ({ from, to }: Period): number => Temporal.PlainDate.from(from).until(to).days + 1

export async function localToday(tx: Tx, timezone: string): Promise<string> {
  return (await tx.one<{ day: string }>('select (now() at time zone $1)::date::text as day', [timezone])).day
}

/** The period of a request. @throws AppError invalid_input when it ends before it begins or is longer than five years */
export async function periodOf(
  ctx: Pick<Context, 'tx' | 'tenant'>,
  input: { from?: string; to?: string },
): Promise<Period> {
  const to = input.to ?? (await localToday(ctx.tx, ctx.tenant.timezone))
  const from =
    input.from ??
    Temporal.PlainDate.from(to)
      .subtract({ days: DEFAULT_DAYS - 1 })
      .toString()
  const period = { from, to }
  const days = daysOf(period)
  if (days < 1 || days > MOST_DAYS) throw invalid('/to', 'range')
  return period
}

/** As many days just before. */
export function periodBefore(period: Period): Period {
  const days = daysOf(period)
  const earlier = (day: string) => Temporal.PlainDate.from(day).subtract({ days }).toString()
  return { from: earlier(period.from), to: earlier(period.to) }
}
