import type { Role } from './access.ts'
import type { Operation } from './operation.ts'

const STRANGERS: readonly Role[] = ['anonymous', 'visitor', 'kiosk']
type Which = (op: Operation, role: Role) => boolean

/** What the platform can close at once, for one organisation or for all, and which requests it then refuses. */
const CLOSES: Readonly<Record<string, Which>> = {
  /** New tickets by people themselves; staff still takes them. */
  intake: ({ id }, role) => id === 'tickets.take' && STRANGERS.includes(role),
  /** New appointments by people themselves. */
  booking: ({ id }, role) =>
    /^(appointments\.(book\w*|rescheduleMine)|waiting-list\.join)$/.test(id) && STRANGERS.includes(role),
  /** Changes by integrations. */
  api_changes: ({ kind }, role) => kind === 'mutation' && role === 'api_key',
  imports: ({ id }) => id === 'imports.create' || id === 'imports.run',
  exports: ({ id }) => id === 'exports.create' || id === 'audit.export',
}
export const SWITCHES = ['intake', 'booking', 'api_changes', 'imports', 'exports'] as const

/** The switch that refuses this request, if any of those that are off does. */
export const closedBy = (off: readonly string[], op: Operation, role: Role): string | undefined =>
  off.find((name) => CLOSES[name]?.(op, role))
