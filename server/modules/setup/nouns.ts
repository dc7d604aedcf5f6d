import type { ConstraintErrors } from '../../kernel/errors.ts'
import type { Context, Operation } from '../../kernel/operation.ts'
import { operations as agentOperations } from '../agents/index.ts'
import { operations as bookingOperations } from '../appointments/index.ts'
import { operations as displayOperations } from '../displays/index.ts'
import { operations as queueOperations } from '../queues/index.ts'
import { operations as siteOperations } from '../sites/index.ts'

const known = new Map(
  [siteOperations, queueOperations, agentOperations, displayOperations, bookingOperations]
    .flat()
    .map((op): [string, Operation] => [op.id, op]),
)

/** Another noun's own operation, in this transaction: whatever it checks and tells is checked and told. */
export const act = <Output>(ctx: Context, id: string, input: object): Promise<Output> =>
  known.get(id)!.run(ctx, input) as Promise<Output>

/** A new one of a noun. */
export const make = (ctx: Context, noun: string, input: object): Promise<{ id: number; name: string }> =>
  act(ctx, `${noun}.create`, input)

/** Of what is there, that which a new one can be given. */
export function givable(noun: string, row: object): Record<string, unknown> {
  const fields = known.get(`${noun}.create`)!.input.properties as object
  return Object.fromEntries(Object.entries(row).filter(([name]) => name in fields))
}

/** Refusals of all of them: somebody else may write the same at the same moment. */
export const constraintsOf = (nouns: readonly string[]): ConstraintErrors =>
  Object.assign({}, ...nouns.map((noun) => known.get(`${noun}.create`)!.constraints)) as ConstraintErrors
