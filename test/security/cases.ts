/** Inputs that a schema takes, just takes, and does not take. */
type Schema = Record<string, unknown>
type Random = () => number

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])

const ODD_TEXTS = [
  '',
  ' ',
  'a'.repeat(10_000),
  'é'.repeat(200),
  'a\u0301'.repeat(300),
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\u202e\u2066\u200f',
  '👩‍👩‍👧‍👦',
  '𝕊'.repeat(99),
  '\ufeff',
  '\r\nSet-Cookie: a=b',
  '%00',
  '%s%n%x',
  "'",
  "' or '1'='1",
  "'; drop table tickets; --",
  '$1',
  '${7*7}{{7*7}}',
  '<script>alert(1)</script>',
  '../../../../etc/passwd',
  '\\\\host\\share',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'true',
  'NaN',
  'Infinity',
  '-0',
  '1e309',
  '0x10',
  '9223372036854775808',
  '{"a":1}',
  '[]',
  '(1,2)',
  '{1,2}',
  'en-US-u-ca-buddhist',
  'Europe/../Paris',
  'http://169.254.169.254/',
  'gopher://127.0.0.1:6379/_',
  'javascript:alert(1)',
  '=cmd|calc!A0',
]
const ODD_TIMES = [
  '2026-02-30',
  '2026-13-01',
  '0000-00-00',
  '0001-01-01',
  '1000-01-01',
  '2999-12-31',
  '9999-12-31',
  '10000-01-01',
  '-000001-01-01',
  '2026-11-22T24:00:00Z',
  '2026-06-30T23:59:60Z',
  '2026-11-22T10:00:00',
  '2026-11-22T10:00:00+25:00',
  '2026-11-22T10:00:00-15:59',
  '2026-11-22T10:00:00.123456789123Z',
  '2999-12-31T23:59:59.999999Z',
  '1000-01-01T00:00:00+15:59',
  '1000-01-01T00:00:00Z',
  '2026-03-29T02:30:00Z',
  '2026-11-22t10:00:00z',
  '20261122T100000Z',
  '2026-W47-7',
  'now',
  'infinity',
  'epoch',
  '25:00',
  '24:00',
  '00:00',
]
const ODD_NUMBERS = [
  0,
  -0,
  -1,
  1,
  0.5,
  1e-300,
  1e308,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
  -(2 ** 63),
  1e21,
]
const ODD_THINGS: readonly unknown[] = [
  null,
  true,
  [],
  {},
  [null],
  [[]],
  nested(30),
  nested(200),
  JSON.parse('{"__proto__": {"is_active": true}}'),
  JSON.parse('{"constructor": {"prototype": {"x": 1}}, "toString": 1, "valueOf": null}'),
  Array.from({ length: 2000 }, (_, i) => i),
  { length: -1 },
]

/** The schema itself, without what says that it may be absent. */
const plain = (schema: Schema): Schema =>
  ((schema['anyOf'] as Schema[] | undefined)?.find(({ type }) => type !== 'null') ?? schema) as Schema
const isTime = ({ format, pattern }: Schema) =>
  /date|time/.test(String(format)) || /\\d\{2\}:|\d\\d:/.test(String(pattern ?? ''))

/** At the edge of what the schema takes, mostly inside. */
function edgeOf(schema: Schema, random: Random): unknown {
  const {
    type,
    minimum,
    maximum,
    maxLength,
    minLength,
    maxItems,
    items,
    properties,
    enum: values,
  } = plain(schema) as {
    type?: string
    minimum?: number
    maximum?: number
    maxLength?: number
    minLength?: number
    maxItems?: number
    items?: Schema
    properties?: Record<string, Schema>
    enum?: unknown[]
  }
  if (values) return pick(random, values)
  if (type === 'integer' || type === 'number') {
    const step = type === 'integer' ? 1 : 0.000_001
    return pick(
      random,
      [minimum, maximum, (maximum ?? 0) - step, (minimum ?? 0) + step, (maximum ?? 0) + step, 0, 1].filter(
        (n) => n !== undefined,
      ),
    )
  }
  if (type === 'boolean') return random() < 0.5
  if (type === 'array') {
    const count = pick(random, [0, 1, 2, maxItems ?? 3, (maxItems ?? 3) + 1])
    return Array.from({ length: Math.min(count, 300) }, () => (items ? edgeOf(items, random) : 1))
  }
  if (type === 'object')
    return Object.fromEntries(
      Object.entries(properties ?? {})
        .filter(() => random() < 0.6)
        .map(([name, each]) => [name, edgeOf(each, random)]),
    )
  if (isTime(plain(schema))) return pick(random, ODD_TIMES)
  // A whole file's worth of text tries the network more than the program.
  const most = Math.min(maxLength ?? 100, 50_000)
  const length = pick(random, [minLength ?? 0, most, most + 1, 7])
  return pick(random, ['x', '7', 'é', '𝕊', ' ', '"', '\\']).repeat(length).slice(0, length)
}

function oddOf(schema: Schema, random: Random): unknown {
  const { type } = plain(schema)
  const kind = random()
  if (kind < 0.25) return pick(random, ODD_THINGS)
  if (type === 'integer' || type === 'number') return kind < 0.8 ? pick(random, ODD_NUMBERS) : pick(random, ODD_TEXTS)
  if (isTime(plain(schema)) && kind < 0.8) return pick(random, ODD_TIMES)
  return kind < 0.9 ? pick(random, ODD_TEXTS) : pick(random, ODD_NUMBERS)
}

/** Replaces one value somewhere in `value`, or adds one that `schema` knows. */
function changed(value: unknown, schema: Schema, random: Random): unknown {
  const known = plain(schema)
  const properties = known['properties'] as Record<string, Schema> | undefined
  if (properties && value !== null && typeof value === 'object' && !Array.isArray(value) && random() < 0.95) {
    const names = Object.keys(properties)
    if (names.length === 0) return { ...value, [pick(random, ODD_TEXTS)]: 1 }
    const name = pick(random, names)
    const inner = (value as Record<string, unknown>)[name]
    const next =
      inner !== undefined && typeof inner === 'object' && random() < 0.7
        ? changed(inner, properties[name]!, random)
        : random() < 0.6
          ? edgeOf(properties[name]!, random)
          : oddOf(properties[name]!, random)
    return { ...value, [name]: next }
  }
  if (Array.isArray(value) && value.length > 0 && random() < 0.6) {
    const at = Math.floor(random() * value.length)
    return value.with(at, changed(value[at], (known['items'] as Schema | undefined) ?? {}, random))
  }
  return random() < 0.6 ? edgeOf(schema, random) : oddOf(schema, random)
}

/** An input like `base` with one to three values changed; deterministic for a generator. */
export function mutated(base: Record<string, unknown>, schema: Schema, random: Random): Record<string, unknown> {
  let input: unknown = base
  for (let i = random() < 0.5 ? 1 : 3; i > 0; i--) input = changed(input, schema, random)
  if (random() < 0.05) input = { ...(input as object), [pick(random, ODD_TEXTS)]: pick(random, ODD_THINGS) }
  if (random() < 0.05 && input !== null && typeof input === 'object') {
    const { [pick(random, Object.keys(input)) ?? '']: _, ...rest } = input as Record<string, unknown>
    input = rest
  }
  return input !== null && typeof input === 'object' && !Array.isArray(input)
    ? (input as Record<string, unknown>)
    : base
}

/** Bodies that are no input at all, by what they are sent as. */
export const ODD_BODIES: readonly { type: string | undefined; body: string | Buffer; encoding?: string }[] = [
  { type: 'application/json', body: '{' },
  { type: 'application/json', body: 'null' },
  { type: 'application/json', body: '[]' },
  { type: 'application/json', body: '"text"' },
  { type: 'application/json', body: '7' },
  { type: 'application/json', body: '\ufeff{}' },
  { type: 'application/json', body: '{"__proto__": {"role": "admin"}}' },
  { type: 'application/json', body: '{"constructor": {"prototype": {"role": "admin"}}}' },
  { type: 'application/json', body: '{"id": 1, "id": 2, "name": "a", "name": "b"}' },
  { type: 'application/json', body: `${'['.repeat(20_000)}${']'.repeat(20_000)}` },
  { type: 'application/json', body: `${'{"a":'.repeat(8000)}1${'}'.repeat(8000)}` },
  { type: 'application/json', body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]) },
  { type: 'application/json', body: 'a'.repeat(70_000) },
  { type: 'application/json; charset=utf-16', body: Buffer.from('{}', 'utf16le') },
  {
    type: 'application/json',
    body: Buffer.from('1f8b080000000000000003abae05004382b8bf02000000', 'hex'),
    encoding: 'gzip',
  },
  { type: 'text/plain', body: '{}' },
  { type: 'application/xml', body: '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>' },
  { type: 'application/x-www-form-urlencoded', body: 'a=1&a=2&__proto__[b]=1' },
  {
    type: 'multipart/form-data; boundary=x',
    body: '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
  },
  { type: 'multipart/form-data', body: 'no boundary' },
  { type: 'application/octet-stream', body: Buffer.from([0, 1, 2, 3]) },
  { type: 'a'.repeat(300), body: '{}' },
  { type: undefined, body: '{}' },
]
/** Ends of addresses that no operation declares. */
export const ODD_QUERIES = [
  '?limit=1&limit=2',
  '?limit[]=1',
  '?limit[a]=1',
  '?cursor=%00',
  '?cursor=eyJhIjoxfQ',
  '?cursor=bnVsbA&limit=1',
  '?cursor=W251bGxd',
  '?ordering=name;select',
  '?ordering=constructor',
  '?ordering=-__proto__',
  '?q=%25',
  '?q=%5C',
  '?q=%F0%9F%98%80%ED%A0%80',
  '?%ff=%ff',
  '?__proto__=1',
  '?__proto__[a]=1',
  '?constructor=1&toString=2',
  '?=&&==',
  `?q=${'a'.repeat(7000)}`,
  '?created_after=now',
  '?from=2999-12-31&to=1000-01-01',
  '?tenant=other-office',
]
export const ODD_HEADERS: readonly Record<string, string>[] = [
  { 'x-tenant': 'other-office' },
  { 'x-tenant': "'" },
  { 'x-tenant': '../own-office' },
  { 'idempotency-key': '"' },
  { 'idempotency-key': 'k'.repeat(256) },
  { 'if-match': '"' },
  { 'if-match': '*, *, W/"a"' },
  { 'if-none-match': '*' },
  { 'accept-language': `${'fr;q=0.1,'.repeat(500)}xx` },
  { 'accept-language': '*;q=nan, -' },
  { accept: 'application/xml;q=1, text/html;q=0' },
  { authorization: 'Bearer' },
  { authorization: 'Basic Og==' },
  { authorization: `Bearer ${'a.'.repeat(2000)}` },
  { authorization: 'Bearer sk_live_1_x' },
  { authorization: 'Bearer sd_zzzzzz_x' },
  { cookie: `session=${'a'.repeat(43)}; session=b` },
  { cookie: '__Host-session=%; =; ;;' },
  { 'x-request-id': '<script>alert(1)</script>' },
  { 'challenge-solution': 'e30=' },
  { 'challenge-solution': '{}' },
  { traceparent: '00-zz' },
  { range: 'bytes=0-0,-1' },
  { 'x-http-method-override': 'DELETE' },
  { 'x-forwarded-for': "127.0.0.1', now()" },
  { 'x-csrf-token': '\u00ff' },
  { 'cache-control': 'no-cache' },
  { origin: 'null' },
]
