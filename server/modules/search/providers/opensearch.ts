import { Client } from '@opensearch-project/opensearch'
import type { Document, Told } from '../document.ts'
import { NUMBER_DAYS, type Found, type Place } from '../engine.ts'
import type { Query } from '../query.ts'
import { KINDS, type Kind } from '../schema.ts'

const INDEX = 'smartqueue'
/** Somebody waits for the answer, and the database has one too. */
const QUERY_TIMEOUT_MS = 800
const WRITE_TIMEOUT_MS = 15_000

const keyword = { type: 'keyword' }
const MAPPING = {
  dynamic: 'strict',
  properties: {
    tenant_id: { type: 'long' },
    kind: keyword,
    id: { type: 'long' },
    words: keyword,
    names: keyword,
    digits: keyword,
    number: keyword,
    tail: keyword,
    code: keyword,
    day: { type: 'date', format: 'yyyy-MM-dd' },
    sites: { type: 'long' },
    queues: { type: 'long' },
    is_nowhere: { type: 'boolean' },
    version: { type: 'long' },
  },
}

/** The documents of all organisations in one index, each behind its number. */
export class SearchServer {
  #client: Client
  constructor(url: string) {
    this.#client = new Client({ node: url, maxRetries: 0, requestTimeout: WRITE_TIMEOUT_MS })
  }

  /** Makes the index unless it is there. */
  async prepare(): Promise<void> {
    const { body: isThere } = await this.#client.indices.exists({ index: INDEX })
    if (isThere) return
    const settings = { number_of_shards: 1, 'index.max_result_window': 10_000 }
    await this.#client.indices
      .create({ index: INDEX, body: { settings, mappings: MAPPING } as never })
      .catch((error: unknown) => {
        // Another process was faster.
        if (!String(error).includes('resource_already_exists')) throw error
      })
  }

  /**
   * Writes what is there and removes what is gone, unless the server knows something newer. Doing so twice changes nothing.
   * @throws Error when the server did not take all
   */
  async write(tenantId: number, kind: Kind, version: number, told: readonly Told[]): Promise<void> {
    if (told.length === 0) return
    const body = told.flatMap(({ id, document }): object[] => {
      const place = { _index: INDEX, _id: `${tenantId}-${kind}-${id}`, version, version_type: 'external_gte' }
      return document === null ? [{ delete: place }] : [{ index: place }, { ...document, version }]
    })
    const { body: answer } = await this.#client.bulk({ body: body as never })
    for (const item of answer.items as { index?: Item; delete?: Item }[]) {
      const { status, error } = item.index ?? item.delete ?? { status: 500 }
      // 404: was not there; 409: a newer one is.
      if (status >= 300 && status !== 404 && status !== 409)
        throw new Error(`the search server refused a document: ${status} ${JSON.stringify(error ?? null)}`)
    }
  }

  /** Removes what nothing has been told of since `version`: its row is gone. */
  async removeOlder(tenantId: number, version: number): Promise<number> {
    const { body } = await this.#client.deleteByQuery({
      index: INDEX,
      refresh: true,
      conflicts: 'proceed',
      body: {
        query: { bool: { filter: [{ term: { tenant_id: tenantId } }, { range: { version: { lt: version } } }] } },
      } as never,
    })
    return (body as { deleted?: number }).deleted ?? 0
  }

  /** Lets what was written be found now instead of within a second. */
  async refresh(): Promise<void> {
    await this.#client.indices.refresh({ index: INDEX })
  }

  async find(tenantId: number, query: Query, place: Place, most: number, today: string): Promise<Found> {
    const searches = KINDS.flatMap((kind) => [
      { index: INDEX },
      {
        size: most,
        _source: ['id'],
        query: queryOf(tenantId, kind, query, place, today),
        sort: [{ _score: 'desc' }, { id: 'desc' }],
      },
    ])
    const { body } = await this.#client.msearch({ body: searches as never }, { requestTimeout: QUERY_TIMEOUT_MS })
    const answers = (body as unknown as { responses: Answer[] }).responses
    return Object.fromEntries(
      KINDS.map((kind, i) => {
        const hits = answers[i]?.hits?.hits
        if (!hits) throw new Error(`the search server did not answer: ${JSON.stringify(answers[i]?.error ?? null)}`)
        return [kind, hits.map(({ _source }) => _source.id)]
      }),
    ) as Found
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}
interface Item {
  status: number
  error?: unknown
}
interface Answer {
  hits?: { hits: { _source: Pick<Document, 'id'> }[] }
  error?: unknown
}

type Clause = Record<string, unknown>
const any = (should: readonly Clause[]): Clause => ({ bool: { should, minimum_should_match: 1 } })
const weighed = (boost: number, filter: Clause): Clause => ({ constant_score: { filter, boost } })

/** Each word begins a word; in names it may also be one with a slip of the finger. */
function wordsOf({ words }: Query, isName: boolean): Clause {
  return {
    bool: {
      must: words.map((word) => {
        const beginning = weighed(10, { prefix: { words: { value: word } } })
        if (!isName || word.length < 3) return beginning
        const slip = { fuzzy: { names: { value: word, fuzziness: word.length < 6 ? 1 : 2, transpositions: true } } }
        return any([beginning, weighed(1, slip)])
      }),
    },
  }
}

function queryOf(tenantId: number, kind: Kind, query: Query, { sites, queues }: Place, today: string): Clause {
  const inside = (name: string, ids: readonly number[]) =>
    any([{ terms: { [name]: ids } }, { term: { is_nowhere: true } }])
  const filter: Clause[] = [{ term: { tenant_id: tenantId } }, { term: { kind } }]
  if (sites) filter.push(inside('sites', sites))
  if (queues) filter.push(inside('queues', queues))
  const should: Clause[] = [wordsOf(query, kind === 'customer')]
  const { digits, number, code } = query
  if (kind === 'customer' && digits !== null)
    should.push(weighed(100, { wildcard: { digits: { value: `*${digits}*` } } }))
  if (kind === 'ticket' && number !== null) {
    const since = Temporal.PlainDate.from(today)
      .subtract({ days: NUMBER_DAYS - 1 })
      .toString()
    const name = /^\d/.test(number) ? 'tail' : 'number'
    const begins = { prefix: { [name]: { value: number.toLowerCase() } } }
    should.push(weighed(100, { bool: { filter: [begins, { range: { day: { gte: since } } }] } }))
  }
  if (kind === 'appointment' && code !== null) should.push(weighed(100, { term: { code } }))
  return { bool: { filter, ...(any(should)['bool'] as object) } }
}
