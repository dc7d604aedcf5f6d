import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLFloat,
  GraphQLID,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
  type GraphQLFieldConfigMap,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLScalarType,
} from 'graphql'
import type { TSchema } from 'typebox'
import { AGENT_STATUSES, QUEUE_STATUSES, TicketStatus } from '../../../shared/ticket-status.ts'
import { ROLES, SCOPES } from '../../kernel/access.ts'
import {
  enumValues,
  fingerprint,
  isId,
  isRequired,
  propertiesOf,
  read,
  withoutNull,
  type Json as JsonSchema,
} from './json-schema.ts'
import { naturalName, pascal } from './names.ts'
import { DateTime, Json, Long, PlainDate } from './scalars.ts'
import type { GraphqlContext } from './context.ts'

const MAX_INT = 2 ** 31 - 1
export type Fields = GraphQLFieldConfigMap<unknown, GraphqlContext>

/** JSON Schemas of the operations as GraphQL types: the same schema is the same type, wherever it stands. */
export class Types {
  #objects = new Map<string, GraphQLObjectType>()
  #inputs = new Map<string, GraphQLInputObjectType>()
  #enums = new Map<string, GraphQLEnumType>()
  #names = new Set<string>()
  #extra: (type: string) => Fields

  /** @param extra fields that a type has beside its properties, asked for when all types are known */
  constructor(extra: (type: string) => Fields) {
    this.#extra = extra
    this.#known('TicketStatus', Object.entries(TicketStatus))
    for (const [name, values] of Object.entries({ QueueStatus: QUEUE_STATUSES, AgentStatus: AGENT_STATUSES }))
      this.#known(
        name,
        values.map((value) => [value, value]),
      )
    this.#known('Locale', [
      ['fr', 'fr'],
      ['en', 'en'],
      ['ar', 'ar'],
    ])
    this.#known(
      'Role',
      ROLES.map((role) => [role, role]),
    )
    this.#known(
      'Scope',
      SCOPES.map((scope) => [nameOfValue(scope), scope]),
    )
  }

  get ticketStatus(): GraphQLEnumType {
    return this.#enums.get(keyOf(Object.values(TicketStatus)))!
  }

  /** Type of what an operation answers; `name` is what an object is called where it is met first. */
  output(schema: TSchema, name: string): GraphQLOutputType {
    const { schema: bare, isNullable } = withoutNull(schema)
    const type = this.#bareOutput(bare, name)
    return isNullable ? type : new GraphQLNonNull(type)
  }

  #bareOutput(schema: TSchema, name: string) {
    const json = read(schema)
    if (json.type === 'array') return new GraphQLList(this.output(json.items!, name))
    return propertiesOf(schema) ? this.object(schema, name) : (this.#enum(json, name) ?? scalarOf(json, name))
  }

  object(schema: TSchema, name: string): GraphQLObjectType {
    const key = fingerprint(schema)
    const known = this.#objects.get(key)
    if (known) return known
    const unique = this.#unique(naturalName(name))
    const { description } = read(schema)
    const type = new GraphQLObjectType<unknown, GraphqlContext>({
      name: unique,
      ...(description && { description }),
      fields: () => ({ ...this.#properties(schema, unique), ...this.#extra(unique) }),
    })
    this.#objects.set(key, type)
    return type
  }

  #properties(schema: TSchema, owner: string): Fields {
    return Object.fromEntries(
      propertiesOf(schema)!.map(([name, property]) => {
        const type = this.output(property, owner + pascal(name))
        const { description } = read(property)
        return [name, { type: isRequired(schema, name) ? type : nullable(type), ...(description && { description }) }]
      }),
    )
  }

  /** Type of what an operation is given. */
  input(schema: TSchema, name: string): GraphQLInputType {
    const { schema: bare } = withoutNull(schema)
    const json = read(bare)
    if (json.type === 'array') return new GraphQLList(new GraphQLNonNull(this.input(json.items!, name)))
    if (!propertiesOf(bare)) return this.#enum(json, name) ?? scalarOf(json, name)
    return this.inputObject(bare, name)
  }

  inputObject(schema: TSchema, name: string): GraphQLInputObjectType {
    const key = `${name} ${fingerprint(schema)}`
    let type = this.#inputs.get(key)
    if (!type) {
      type = new GraphQLInputObjectType({ name: this.#unique(name), fields: () => this.arguments(schema, name) })
      this.#inputs.set(key, type)
    }
    return type
  }

  /** The properties of an input, each as an argument. */
  arguments(schema: TSchema, owner: string): Record<string, { type: GraphQLInputType; description?: string }> {
    return Object.fromEntries(
      (propertiesOf(schema) ?? []).map(([name, property]) => {
        const type = this.input(property, owner.replace(/Input$/, '') + pascal(name) + suffixOf(property, owner))
        const { description, default: usual } = read(property)
        const text = [description, usual !== undefined && `default \`${JSON.stringify(usual)}\``].filter(Boolean)
        const isNeeded = isRequired(schema, name) && !withoutNull(property).isNullable
        return [
          name,
          {
            type: isNeeded ? new GraphQLNonNull(type) : type,
            ...(text.length > 0 && { description: text.join('; ') }),
          },
        ]
      }),
    )
  }

  /** A type that no operation declares. */
  made(name: string, fields: () => Fields, description?: string): GraphQLObjectType {
    return new GraphQLObjectType({ name: this.#unique(name), fields, ...(description && { description }) })
  }

  #enum(json: JsonSchema, name: string): GraphQLEnumType | undefined {
    const values = enumValues(json)
    if (!values) return undefined
    const key = keyOf(values)
    const known = this.#enums.get(key)
    return (
      known ??
      this.#known(
        name.replace(/(?:Input)+$/, ''),
        values.map((value) => [nameOfValue(value), value]),
      )
    )
  }

  #known(name: string, values: readonly (readonly [string, string])[]): GraphQLEnumType {
    const type = new GraphQLEnumType({
      name: this.#unique(name),
      values: Object.fromEntries(values.map(([label, value]) => [label, { value }])),
    })
    this.#enums.set(keyOf(values.map(([, value]) => value)), type)
    return type
  }

  #unique(name: string): string {
    let unique = name
    for (let n = 2; this.#names.has(unique); n++) unique = `${name}${n}`
    this.#names.add(unique)
    return unique
  }
}

const keyOf = (values: readonly string[]) => values.join('\n')
/** `-created_at` → `created_at_desc`; `read:queue` → `read_queue`. */
const nameOfValue = (value: string) => value.replace(/^-(.*)$/, '$1_desc').replace(/\W/g, '_')
/** Inner objects of an input are inputs as well, and an output may have the same name. */
const suffixOf = (schema: TSchema, owner: string) =>
  owner.endsWith('Input') && !enumValues(read(schema)) ? 'Input' : ''
const nullable = (type: GraphQLOutputType): GraphQLOutputType => (type instanceof GraphQLNonNull ? type.ofType : type)

/** Whole numbers without a bound that outgrow 32 bits; all others are counts and seconds. */
const LONG = /(?:Rank|Offset|Seq|Bytes|Size)$/

const isLong = (minimum: number, maximum: number) =>
  (maximum > MAX_INT && maximum !== Infinity) || (minimum < -MAX_INT && minimum !== -Infinity)

function scalarOf(json: JsonSchema, name: string): GraphQLScalarType {
  const { type, format, minimum = -Infinity, maximum = Infinity } = json
  if (isId(json)) return GraphQLID
  if (type === 'integer') return isLong(minimum, maximum) || LONG.test(name) ? Long : GraphQLInt
  if (type === 'number') return GraphQLFloat
  if (type === 'boolean' || type === 'null') return GraphQLBoolean
  if (type !== 'string') return Json
  return format === 'date-time' ? DateTime : format === 'date' ? PlainDate : GraphQLString
}
