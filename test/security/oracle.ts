import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import * as formats from 'ajv-formats'
import type { Operation } from '../../server/kernel/operation.ts'
import { openApiDocument } from '../../server/transports/openapi.ts'
import type { Reply } from './client.ts'

/** What is wrong with an answer; the first thing that is. */
export type Fault =
  | 'answer 5xx'
  | 'status that is not described'
  | 'answer unlike its schema'
  | 'error that is no problem document'
  | 'inside told outside'
  | 'canary of another organisation'

/** What only the program, its database or its machine says. */
const INSIDE =
  /\n\s+at |node_modules|\.ts:\d+|file:\/\/|\b(?:Type|Reference|Range|Syntax|Aggregate)Error\b|syntax error at or near|violates (?:foreign|unique|check|not-null|row-level)|relation \\?"|invalid input syntax|duplicate key value|operator does not exist|out of range for type|SQLSTATE|pg_catalog|ECONN|ENOENT|graphile_worker/

interface Described {
  content?: Record<string, { schema: object }>
  $ref?: string
}
interface Document {
  paths: Record<string, Record<string, { responses: Record<string, Described> }>>
  components: { responses: Record<string, Described> }
}

/** Judges answers of REST by the document that the server gives to its clients. */
export class Oracle {
  #document: Document
  #ajv = new Ajv2020({ strict: false, allErrors: false })
  #checks = new Map<string, ValidateFunction | null>()
  #canary: string

  /** @param canary stands in no answer, whoever asks */
  constructor(operations: readonly Operation[], canary: string) {
    this.#document = openApiDocument(operations, { version: '0.0.0' }) as unknown as Document
    ;(formats.default as unknown as (ajv: Ajv2020) => void)(this.#ajv)
    this.#ajv.addSchema({ $id: 'openapi', ...this.#document })
    this.#canary = canary
  }

  /** @param path as the document spells it. @param isPrivate false where the platform's operator sees every organisation */
  judge(
    method: string,
    path: string,
    { status, headers, body }: Reply,
    isPrivate: boolean,
  ): [Fault, string] | undefined {
    // A server elsewhere that is asked in vain is no fault of this one.
    if (status >= 500 && !body.includes('"calendar_unreachable"'))
      return ['answer 5xx', `${status} ${body.slice(0, 200)}`]
    if (isPrivate && body.includes(this.#canary)) return ['canary of another organisation', this.#around(body)]
    if (status >= 400 && INSIDE.test(body)) return ['inside told outside', body.slice(0, 300)]
    if (status === 304 || status === 204)
      return body === '' ? undefined : ['answer unlike its schema', body.slice(0, 99)]
    const type = String(headers['content-type']).split(';', 1)[0]!
    if (status >= 400 && type !== 'application/problem+json')
      return ['error that is no problem document', `${status} ${type}`]
    const check = this.#checkOf(method, path, status, type)
    if (check === undefined) return ['status that is not described', `${status} ${type} ${body.slice(0, 200)}`]
    if (check === null) return undefined
    let value: unknown
    try {
      value = JSON.parse(body)
    } catch {
      return ['answer unlike its schema', `no JSON: ${body.slice(0, 100)}`]
    }
    if (check(value)) return undefined
    const [error] = check.errors ?? []
    return ['answer unlike its schema', `${error?.instancePath} ${error?.message}: ${body.slice(0, 300)}`]
  }

  #around(body: string) {
    const at = body.indexOf(this.#canary)
    return body.slice(Math.max(0, at - 60), at + 60)
  }

  /** undefined: not described; null: text without a schema of its own. */
  #checkOf(method: string, path: string, status: number, type: string): ValidateFunction | null | undefined {
    const key = `${method} ${path} ${status} ${type}`
    const known = this.#checks.get(key)
    if (known !== undefined) return known
    const described = this.#document.paths[path]?.[method.toLowerCase()]?.responses[String(status)]
    const { content } = described?.$ref
      ? this.#document.components.responses[described.$ref.split('/').at(-1)!]!
      : (described ?? {})
    const schema = Object.entries(content ?? {}).find(([name]) => name.split(';', 1)[0] === type)?.[1].schema
    if (!schema) return undefined
    const isJson = type === 'application/json' || type === 'application/problem+json'
    const check = isJson
      ? this.#ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/')) as object)
      : null
    this.#checks.set(key, check)
    return check
  }
}
