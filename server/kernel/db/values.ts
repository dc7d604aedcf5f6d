import pg from 'pg'

type Parse = (text: string) => unknown

/** PostgreSQL writes `2026-11-22 04:08:11.123456+00`; the wire has RFC 3339 in UTC, with the microseconds kept. */
function timestamptz(text: string): string {
  if (text.endsWith('+00')) return `${text.slice(0, 10)}T${text.slice(11, -3)}Z`
  // `infinity`, or a session whose TimeZone is not UTC.
  if (!/^\d/.test(text)) return text
  const offset = /[+-]\d\d(:\d\d)?$/.test(text) ? text : `${text}:00`
  return Temporal.Instant.from(offset.replace(' ', 'T')).toString()
}

const asText: Parse = (text) => text
/** The types of pg describe a later version of this parser. */
const arrays = pg.types.arrayParser as unknown as { create(text: string, parse: Parse): { parse(): unknown[] } }
const arrayOf =
  (parse: Parse): Parse =>
  (text) =>
    arrays.create(text, parse).parse()

/** Object identifiers of PostgreSQL's built-in types: scalar, its array, how a value is read. */
const parsers: readonly [oid: number, arrayOid: number, parse: Parse][] = [
  [20, 1016, Number], // bigint: ids and counts stay far below 2^53
  [1700, 1231, Number], // numeric
  [1184, 1185, timestamptz],
  [1114, 1115, asText], // timestamp without time zone
  [1082, 1182, asText], // date
  [1186, 1187, asText], // interval
]
const byOid = new Map<number, Parse>(
  parsers.flatMap(([oid, arrayOid, parse]): [number, Parse][] => [
    [oid, parse],
    [arrayOid, arrayOf(parse)],
  ]),
)

/** Given to each client, so that the library's global parsers stay as other packages expect them. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    byOid.get(oid) ?? pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
}
