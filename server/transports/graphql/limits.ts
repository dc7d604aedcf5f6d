import {
  getNamedType,
  GraphQLList,
  GraphQLObjectType,
  isLeafType,
  isObjectType,
  Kind,
  type FragmentDefinitionNode,
  type GraphQLFieldMap,
  type GraphQLOutputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql'
import { AppError } from '../../kernel/errors.ts'
import { MOST_CHILDREN, USUAL_CHILDREN } from './context.ts'

/** What one request may ask for. */
const MAX_DEPTH = 12
export const MAX_COST = 10_000
/** Fields after fragments are put in place: aliases and fragments of fragments cannot multiply beyond it. */
const MAX_FIELDS = 2000
const MAX_ROOT_FIELDS = 30
/** A change holds a transaction. */
const MUTATION_COST = 10
/** Assumed length of a list that is no connection. */
const LIST_LENGTH = 10
/** Length of a list operation's page when nobody says how many. */
const USUAL_PAGE = 50

type Variables = Readonly<Record<string, unknown>>

/**
 * Cost of a request before it runs: one for each object it may return, so a connection costs its `first` times what
 * stands in it. Properties cost nothing.
 * @throws AppError unprocessable when it asks too much, naming what and how much
 */
export function costOf(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  given: Variables,
): number {
  const variables = { ...defaultsOf(operation), ...given }
  let fields = 0
  let cost = 0

  /** Adds what `selection` costs when it is returned `times` times. */
  function add(selection: SelectionSetNode, type: GraphQLObjectType, times: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new AppError('unprocessable', 'graphql_too_deep', { params: { limit: MAX_DEPTH } })
    const known: GraphQLFieldMap<unknown, unknown> = type.getFields()
    for (const node of selection.selections) {
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(node.name.value)
        if (++fields > MAX_FIELDS)
          throw new AppError('unprocessable', 'graphql_too_many_fields', { params: { limit: MAX_FIELDS } })
        if (fragment) add(fragment.selectionSet, type, times, depth)
        continue
      }
      if (node.kind === Kind.INLINE_FRAGMENT) {
        add(node.selectionSet, type, times, depth)
        continue
      }
      if (++fields > MAX_FIELDS)
        throw new AppError('unprocessable', 'graphql_too_many_fields', { params: { limit: MAX_FIELDS } })
      const field = known[node.name.value]
      // `__typename` and the description of the schema, which a rule of its own bounds.
      if (!field || !node.selectionSet) continue
      const inner = getNamedType(field.type)
      if (isLeafType(inner) || !isObjectType(inner)) continue
      const isConnection = inner.name.endsWith('Connection')
      cost += times
      const length = isConnection
        ? pageLength(node.arguments ?? [], variables, type === schema.getQueryType() ? USUAL_PAGE : USUAL_CHILDREN)
        : isList(field.type) && !type.name.endsWith('Connection')
          ? LIST_LENGTH
          : 1
      add(node.selectionSet, inner, times * length, depth + 1)
    }
  }

  const root = schema.getRootType(operation.operation)!
  const roots = countRoots(operation.selectionSet, fragments)
  if (roots > MAX_ROOT_FIELDS)
    throw new AppError('unprocessable', 'graphql_too_many_fields', { params: { limit: MAX_ROOT_FIELDS } })
  if (operation.operation === 'mutation') cost += MUTATION_COST * roots
  else cost += roots
  add(operation.selectionSet, root, 1, 1)
  if (cost > MAX_COST) throw new AppError('unprocessable', 'graphql_too_costly', { params: { cost, limit: MAX_COST } })
  return cost
}

/** Numbers a document gives to variables that the request leaves out. */
function defaultsOf({ variableDefinitions = [] }: OperationDefinitionNode): Variables {
  return Object.fromEntries(
    variableDefinitions.flatMap(({ variable, defaultValue }) =>
      defaultValue?.kind === Kind.INT ? [[variable.name.value, Number(defaultValue.value)]] : [],
    ),
  )
}

function isList(type: GraphQLOutputType): boolean {
  if (type instanceof GraphQLList) return true
  return 'ofType' in type && isList(type.ofType as GraphQLOutputType)
}

/** Fields at the root, each of which runs an operation. */
export function countRoots(
  { selections }: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  depth = 0,
): number {
  let count = 0
  for (const node of selections) {
    if (depth > MAX_DEPTH || count > MAX_ROOT_FIELDS) return MAX_ROOT_FIELDS + 1
    if (node.kind === Kind.FIELD) count++
    else {
      const inner = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value)
      if (inner) count += countRoots(inner.selectionSet, fragments, depth + 1)
    }
  }
  return count
}

function pageLength(
  args: readonly { name: { value: string }; value: ValueNode }[],
  variables: Variables,
  usual: number,
): number {
  let length: number | undefined
  for (const { name, value } of args) {
    if (name.value !== 'first' && name.value !== 'last') continue
    const given =
      value.kind === Kind.VARIABLE
        ? variables[value.name.value]
        : value.kind === Kind.INT
          ? Number(value.value)
          : undefined
    if (typeof given === 'number') length = Math.max(length ?? 0, given)
  }
  return Math.min(Math.max(length ?? usual, 1), MOST_CHILDREN)
}
