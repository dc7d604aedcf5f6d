import type { Operation } from '../../kernel/operation.ts'
import { operations as appointments } from '../appointments/index.ts'
import { operations as authentication } from '../authentication/index.ts'
import { operations as customers } from '../customers/index.ts'
import { operations as sites } from '../sites/index.ts'

export const KINDS = ['customers', 'services', 'sites', 'users', 'appointments'] as const
export type Kind = (typeof KINDS)[number]

interface Ways {
  /** Makes one of a row: the operation that everybody uses, with its own checks. */
  create: Operation
  /** Takes it back. */
  undo: Operation
  /** What must not come twice in one file, by the operation's own names. */
  unique: readonly string[]
}

const all = new Map([...customers, ...sites, ...authentication, ...appointments].map((op) => [op.id, op]))
const named = (id: string): Operation => {
  const op = all.get(id)
  if (!op) throw new Error(`no operation ${id}`)
  return op
}

export const WAYS: Readonly<Record<Kind, Ways>> = {
  customers: { create: named('customers.create'), undo: named('customers.delete'), unique: ['external_id'] },
  services: { create: named('services.create'), undo: named('services.delete'), unique: ['code'] },
  sites: { create: named('sites.create'), undo: named('sites.delete'), unique: ['slug'] },
  users: { create: named('users.create'), undo: named('users.delete'), unique: ['email'] },
  appointments: { create: named('appointments.book'), undo: named('appointments.cancel'), unique: [] },
}
