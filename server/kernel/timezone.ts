import Type from 'typebox'
import { invalid } from './errors.ts'

/** An IANA name such as `Europe/Paris`. Offsets are refused: they know no summer time. */
export const Timezone = Type.String({ pattern: '^(?:UTC|[A-Z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+)$', maxLength: 64 })

/** @throws AppError invalid_input `timezone` for a zone this system does not know */
export function checkTimezone(timezone: string, path = '/timezone'): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone })
  } catch {
    throw invalid(path, 'timezone')
  }
}
