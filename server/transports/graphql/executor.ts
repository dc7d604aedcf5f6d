import {
  execute,
  getOperationAST,
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type ExecutionResult,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql'
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit'
import { LRUCache } from 'lru-cache'
import { AppError } from '../../kernel/errors.ts'
import type { GraphqlContext } from './context.ts'
import { costOf, countRoots } from './limits.ts'

const MAX_TOKENS = 4000
/** Documents kept ready; clients send few, again and again. */
const KEPT = 500
/** A document is compiled when it comes this often: strangers' one-time documents are not worth it. */
const COMPILED_AFTER = 2

type Compiled = CompiledQuery<Record<string, unknown>, Record<string, unknown>>
/** A document that may run. */
export interface Prepared {
  document: DocumentNode
  operation: OperationDefinitionNode
  fragments: ReadonlyMap<string, FragmentDefinitionNode>
  uses: number
  compiled?: Compiled
}

export interface Wish {
  query: string
  operationName?: string | null | undefined
  variables?: Readonly<Record<string, unknown>> | null | undefined
}

/** Parses, judges and runs documents; what was judged once is kept, what comes back is compiled. */
export class Executor {
  readonly schema: GraphQLSchema
  #rules
  #kept = new LRUCache<string, Prepared>({ max: KEPT })

  constructor(schema: GraphQLSchema, { mayIntrospect }: { mayIntrospect: boolean }) {
    this.schema = schema
    this.#rules = mayIntrospect ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule]
  }

  /** @throws GraphQLErrors, all that is wrong; AppError unprocessable when there is no such operation */
  prepare({ query, operationName }: Wish): Prepared {
    const key = `${operationName ?? ''}\n${query}`
    const known = this.#kept.get(key)
    if (known) return known
    const document = parse(query, { maxTokens: MAX_TOKENS, noLocation: false })
    const errors = validate(this.schema, document, this.#rules, { maxErrors: 20 })
    if (errors.length > 0) throw new GraphQLErrors(errors)
    const operation = getOperationAST(document, operationName)
    if (!operation) throw new AppError('invalid_input', 'graphql_operation_unknown')
    const fragments = new Map(
      document.definitions.flatMap((node) =>
        node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
      ),
    )
    const prepared: Prepared = { document, operation, fragments, uses: 0 }
    this.#kept.set(key, prepared)
    return prepared
  }

  /** @throws AppError unprocessable when it asks too much */
  cost({ operation, fragments }: Prepared, variables: Wish['variables']): number {
    return costOf(this.schema, operation, fragments, variables ?? {})
  }

  /** Number of operations it runs. */
  roots = ({ operation, fragments }: Prepared): number => countRoots(operation.selectionSet, fragments)

  /** Runs a query or mutation that was prepared and whose cost was judged. */
  async run(prepared: Prepared, context: GraphqlContext, variables: Wish['variables']): Promise<ExecutionResult> {
    const { document, operation } = prepared
    if (!prepared.compiled && ++prepared.uses >= COMPILED_AFTER) {
      const compiled = compileQuery(this.schema, document, operation.name?.value)
      if (isCompiledQuery(compiled)) prepared.compiled = compiled as Compiled
    }
    if (prepared.compiled) return prepared.compiled.query(undefined, context, { ...variables })
    return execute({
      schema: this.schema,
      document,
      contextValue: context,
      variableValues: variables ?? {},
      operationName: operation.name?.value ?? null,
    })
  }
}

/** All that is wrong with a document. */
export class GraphQLErrors extends Error {
  readonly errors: readonly GraphQLError[]
  constructor(errors: readonly GraphQLError[]) {
    super('the document is not valid')
    this.errors = errors
  }
}
