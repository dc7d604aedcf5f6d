import { GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped } from 'graphql'

const text = (name: string, description: string) =>
  new GraphQLScalarType<unknown, unknown>({
    name,
    description,
    // Inputs are judged by the operation's own schema, which names the field it refuses.
    parseValue: (value) => value,
    parseLiteral: (node) => (node.kind === Kind.STRING ? node.value : valueFromASTUntyped(node)),
  })

export const DateTime: GraphQLScalarType = text('DateTime', 'Instant, RFC 3339 in UTC')
export const PlainDate: GraphQLScalarType = text('Date', 'Day without a time, `2026-11-22`')
export const Json: GraphQLScalarType = new GraphQLScalarType({
  name: 'JSON',
  description: 'Any JSON value',
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
})
const integer = (value: unknown) => {
  if (Number.isSafeInteger(value)) return value as number
  throw new GraphQLError('Long cannot represent a value that is not a whole number below 2^53')
}
export const Long: GraphQLScalarType = new GraphQLScalarType({
  name: 'Long',
  description: 'Whole number up to 2^53, a number in JSON',
  serialize: integer,
  parseValue: integer,
  parseLiteral: (node) => integer(node.kind === Kind.INT ? Number(node.value) : undefined),
})
