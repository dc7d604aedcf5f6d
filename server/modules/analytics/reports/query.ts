import type { TObject, TSchema } from 'typebox'
import { MANAGERS } from '../../../kernel/access.ts'
import { operation, type Operation } from '../../../kernel/operation.ts'

/** A question of managers: read from the replica, from what was added up. */
export function report<I extends TObject, O extends TSchema>(
  definition: Pick<Operation<I, O>, 'id' | 'summary' | 'input' | 'output' | 'run'> & {
    path: string
    description?: string
    example: Operation<I, O>['example']['input']
  },
): Operation<I, O> {
  const { path, example, ...rest } = definition
  return operation<I, O>({
    ...rest,
    kind: 'query',
    scope: 'read:analytics',
    roles: MANAGERS,
    http: { method: 'GET', path: `/analytics/${path}/` },
    example: { input: example },
    pool: 'replica',
  })
}
