import { ROLE_SCOPES, ROLES, SCOPES, type Role } from './access.ts'
import type { Feed } from './feed.ts'
import type { Operation } from './operation.ts'

/** Roles that come without a token of scopes: a link, or nothing. */
const WITHOUT_SCOPES: readonly Role[] = ['anonymous', 'visitor']

/**
 * Every fault of the matrix of roles and operations; the program does not start with one. Deny by default needs an entry
 * for everything: an operation nobody thought about must not be open, nor a tick promise what the role's scopes refuse.
 */
export function matrixFaults(operations: readonly Operation[], feeds: readonly Feed[] = []): string[] {
  const faults: string[] = []
  const seen = new Set<string>()
  const entries = [
    ...operations.map((op) => ({ ...op, isOutside: (op.http.base ?? 'tenant') !== 'tenant' })),
    ...feeds.map((feed) => ({
      ...feed,
      id: `feed ${feed.name}`,
      isOutside: feed.roles.every((role) => role === 'visitor'),
    })),
  ]
  for (const { id, roles, scope, isOutside } of entries) {
    if (seen.has(id)) faults.push(`${id}: declared twice`)
    seen.add(id)
    if (roles.length === 0) {
      faults.push(`${id}: no role`)
      continue
    }
    if (scope === undefined || (scope !== null && !SCOPES.includes(scope))) faults.push(`${id}: unknown scope ${scope}`)
    else if (scope === null && !isOutside) faults.push(`${id}: needs a scope`)
    for (const role of roles) {
      if (!ROLES.includes(role)) faults.push(`${id}: unknown role ${role}`)
      else if (scope && !WITHOUT_SCOPES.includes(role) && !ROLE_SCOPES[role].includes(scope))
        faults.push(`${id}: ${role} never has ${scope}`)
    }
  }
  return faults
}

/** @throws Error naming every fault */
export function checkMatrix(operations: readonly Operation[], feeds: readonly Feed[]): void {
  const faults = matrixFaults(operations, feeds)
  if (faults.length > 0) throw new Error(`The matrix of roles and operations is not sound:\n  ${faults.join('\n  ')}`)
}
