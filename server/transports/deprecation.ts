import type { Operation } from '../kernel/operation.ts'

/**
 * What the answers of an operation that is to go say of it: since when (RFC 9745), when it goes (RFC 8594), and where what
 * takes its place is described.
 */
export function deprecationHeaders({
  since,
  sunset,
  instead,
}: NonNullable<Operation['deprecated']>): Record<string, string> {
  const midnight = (day: string) => Temporal.PlainDate.from(day).toZonedDateTime('UTC').epochMilliseconds
  return {
    deprecation: `@${midnight(since) / 1000}`,
    sunset: new Date(midnight(sunset)).toUTCString(),
    link: `</docs/#tag/${instead.split('.')[0]}>; rel="successor-version", </docs/>; rel="deprecation"`,
  }
}
