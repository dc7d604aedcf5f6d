import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

type Json = Record<string, any>
interface Stored {
  version: number
  source: Json
}

/**
 * Speaks as much of the OpenSearch REST interface as the program uses: index, bulk with external versions, multi-search, refresh,
 * delete by query. Nothing that cannot be had here is imitated beyond that. What it does not know it refuses with 400, so that no
 * request passes by being misunderstood; a write is found only after a refresh, as on a real one.
 */
export class LoopbackSearchServer {
  #server: Server
  #mapping: Json | undefined
  /** By id; deleted ones keep their version. */
  #documents = new Map<string, Stored | { version: number; source: null }>()
  #searchable = new Map<string, Json>()
  /** Requests answered, by path. */
  readonly asked: string[] = []
  /** Answers everything with 503. */
  isDown = false
  /** Takes no bulk after so many items. */
  failsAfter = Infinity

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request).then(
        ({ status, body }) => {
          response.writeHead(status, { 'content-type': 'application/json' })
          response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body))
        },
        (error: unknown) => {
          response.writeHead(error instanceof Refusal ? error.status : 500, { 'content-type': 'application/json' })
          response.end(JSON.stringify({ error: { type: 'refused', reason: String(error) }, status: 400 }))
        },
      )
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }
  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
  /** Everything it knows, for whoever looks whether something is in it. */
  dump(): string {
    return JSON.stringify([...this.#documents.values()].filter(({ source }) => source !== null))
  }
  get size(): number {
    return [...this.#documents.values()].filter(({ source }) => source !== null).length
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: Json }> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const route = `${request.method} ${url.pathname}`
    this.asked.push(route)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    if (this.isDown) throw new Refusal(503, 'down')
    switch (route) {
      case 'HEAD /smartqueue':
        return { status: this.#mapping ? 200 : 404, body: {} }
      case 'PUT /smartqueue':
        if (this.#mapping) throw new Refusal(400, 'resource_already_exists_exception')
        this.#mapping = (JSON.parse(text) as Json)['mappings']
        return { status: 200, body: { acknowledged: true } }
      case 'GET /smartqueue/_refresh':
      case 'POST /smartqueue/_refresh':
        this.#refresh()
        return { status: 200, body: { _shards: { failed: 0 } } }
      case 'POST /_bulk':
        return { status: 200, body: this.#bulk(lines(text)) }
      case 'POST /_msearch':
        return { status: 200, body: this.#multiSearch(lines(text)) }
      case 'POST /smartqueue/_delete_by_query':
        return { status: 200, body: this.#deleteByQuery((JSON.parse(text) as Json)['query']) }
      default:
        throw new Refusal(400, `no handler for ${route}`)
    }
  }

  #refresh() {
    this.#searchable = new Map([...this.#documents].flatMap(([id, { source }]) => (source ? [[id, source]] : [])))
  }

  #bulk(all: Json[]): Json {
    if (!this.#mapping) throw new Refusal(404, 'index_not_found_exception')
    const items: Json[] = []
    for (let i = 0; i < all.length; i++) {
      const [verb] = Object.keys(all[i]!) as [string]
      const meta = all[i]![verb] as Json
      if (meta['_index'] !== 'smartqueue' || meta['version_type'] !== 'external_gte')
        throw new Refusal(400, 'unknown metadata')
      const source = verb === 'index' ? all[++i]! : null
      if (this.failsAfter-- <= 0) {
        items.push({ [verb]: { status: 429, error: { type: 'rejected_execution_exception' } } })
        continue
      }
      items.push({ [verb]: this.#store(meta['_id'] as string, meta['version'] as number, source) })
    }
    return { errors: items.some((item) => (Object.values(item)[0] as Json)['status'] >= 300), items }
  }
  #store(id: string, version: number, source: Json | null): Json {
    const before = this.#documents.get(id)
    if (before && before.version > version) return { status: 409, error: { type: 'version_conflict_engine_exception' } }
    for (const name of Object.keys(source ?? {}))
      if (!(name in this.#mapping!['properties']))
        return { status: 400, error: { type: 'strict_dynamic_mapping_exception' } }
    this.#documents.set(id, { version, source } as Stored)
    if (source === null) return { status: before?.source ? 200 : 404 }
    return { status: before ? 200 : 201 }
  }

  #multiSearch(all: Json[]): Json {
    return {
      responses: Array.from({ length: all.length / 2 }, (_, i) => {
        const { query, size, sort, ...rest } = all[i * 2 + 1]!
        if (Object.keys(rest).some((name) => name !== '_source')) throw new Refusal(400, 'unknown key')
        if (JSON.stringify(sort) !== '[{"_score":"desc"},{"id":"desc"}]') throw new Refusal(400, 'unknown sort')
        const hits = [...this.#searchable.values()]
          .map((source) => ({ source, score: score(query as Json, source) }))
          .filter((hit): hit is { source: Json; score: number } => hit.score !== null)
          .toSorted((a, b) => b.score - a.score || b.source['id'] - a.source['id'])
        return {
          hits: { hits: hits.slice(0, size as number).map(({ source }) => ({ _source: { id: source['id'] } })) },
        }
      }),
    }
  }
  #deleteByQuery(query: Json): Json {
    this.#refresh()
    let deleted = 0
    for (const [id, source] of this.#searchable) {
      if (score(query, source) === null) continue
      this.#documents.delete(id)
      deleted++
    }
    this.#refresh()
    return { deleted }
  }
}

class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
const lines = (text: string): Json[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Json)

/** Null where it does not match. */
function score(query: Json, source: Json): number | null {
  const [[kind, body]] = Object.entries(query) as [[string, Json]]
  const valuesOf = (name: string) => [source[name]].flat().filter((value) => value !== null && value !== '')
  const onField = (matches: (value: any, wanted: any) => boolean): number | null => {
    const [[name, wanted]] = Object.entries(body) as [[string, any]]
    return valuesOf(name).some((value) => matches(value, wanted)) ? 1 : null
  }
  switch (kind) {
    case 'bool':
      return scoreOfBool(body, source)
    case 'constant_score':
      return score(body['filter'] as Json, source) === null ? null : (body['boost'] as number)
    case 'term':
      return onField((value, wanted) => value === wanted)
    case 'terms':
      return onField((value, wanted: unknown[]) => wanted.includes(value))
    case 'prefix':
      return onField((value: string, wanted) => value.startsWith(wanted.value as string))
    case 'wildcard':
      return onField((value: string, wanted) => value.includes((wanted.value as string).replaceAll('*', '')))
    case 'fuzzy':
      return onField((value: string, wanted) => distance(value, wanted.value as string) <= wanted.fuzziness)
    case 'range':
      return onField((value, { gte, lt }) => (gte === undefined || value >= gte) && (lt === undefined || value < lt))
    default:
      throw new Refusal(400, `unknown query [${kind}]`)
  }
}
function scoreOfBool({ filter = [], must = [], should = [], minimum_should_match, ...rest }: Json, source: Json) {
  if (Object.keys(rest).length > 0) throw new Refusal(400, 'unknown clause')
  for (const clause of filter as Json[]) if (score(clause, source) === null) return null
  let sum = 0
  for (const clause of must as Json[]) {
    const own = score(clause, source)
    if (own === null) return null
    sum += own
  }
  const own = (should as Json[]).map((clause) => score(clause, source)).filter((each) => each !== null)
  if (own.length < (minimum_should_match ?? 0)) return null
  return own.reduce((total, each) => total + each, sum)
}

/** Letters changed, added, left out or swapped with their neighbour (Damerau and Levenshtein, as Lucene has it). */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array<number>(b.length).fill(0)])
  for (let j = 0; j <= b.length; j++) rows[0]![j] = j
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      rows[i]![j] = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        rows[i]![j] = Math.min(rows[i]![j]!, rows[i - 2]![j - 2]! + 1)
    }
  return rows[a.length]![b.length]!
}
