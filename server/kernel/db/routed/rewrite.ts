/** A tree of libpg_query, in JSON: `{ SelectStmt: {…} }` and the like; places are bytes. */
// oxlint-disable-next-line no-explicit-any -- a node has fields of every kind
type Tree = { readonly [name: string]: any }
interface Token {
  start: number
  end: number
  text: string
}
export interface Parsed {
  trees: readonly Tree[]
  tokens: readonly Token[]
}

/** The engine spreads rows by it. */
const COLUMN = 'tenant_id'
/** What ends the conditions of a query, at its own depth of parentheses. */
const ENDS = new Set([
  'group',
  'order',
  'limit',
  'offset',
  'fetch',
  'for',
  'having',
  'union',
  'intersect',
  'except',
  'window',
  'returning',
  ';',
])

/**
 * Says in a statement whose rows it wants, of every table that is spread by organisation: as one more parameter after the statement's own. Row-level
 * security says the same; an engine that chooses the node by the statement does not see that.
 * @returns the statement, unchanged where it touches no such table
 */
export function sayWhose(text: string, { trees, tokens }: Parsed, isSpread: (table: string) => boolean): string {
  const writer = new Writer(tokens, isSpread)
  for (const tree of trees) writer.node(tree, new Set())
  return writer.write(text)
}

interface Leaf {
  table: string
  alias: string
  hasAlias: boolean
  at: number
  /** Its columns may be null where nothing was found, or parentheses are around it: it is narrowed where it stands. */
  isApart: boolean
}
const quote = (name: string) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`)

class Writer {
  #tokens: readonly Token[]
  #isSpread: (table: string) => boolean
  #parameter: string
  #edits: { at: number; to: number; text: string }[] = []

  constructor(tokens: readonly Token[], isSpread: (table: string) => boolean) {
    this.#tokens = tokens
    this.#isSpread = isSpread
    const numbers = tokens.filter(({ text }) => /^\$\d+$/.test(text)).map(({ text }) => Number(text.slice(1)))
    this.#parameter = `$${Math.max(0, ...numbers) + 1}::bigint`
  }

  write(text: string): string {
    if (this.#edits.length === 0) return text
    const bytes = Buffer.from(text)
    const parts: Buffer[] = []
    let from = 0
    for (const { at, to, text: put } of this.#edits.toSorted((a, b) => a.at - b.at)) {
      parts.push(bytes.subarray(from, at), Buffer.from(put))
      from = to
    }
    return Buffer.concat([...parts, bytes.subarray(from)]).toString('utf8')
  }

  /** `ctes` are names that stand for queries and not for tables. */
  node(node: unknown, ctes: ReadonlySet<string>): void {
    if (Array.isArray(node)) for (const each of node) this.node(each, ctes)
    else if (node !== null && typeof node === 'object')
      for (const [name, value] of Object.entries(node))
        if (/^(?:Select|Update|Delete|Insert)Stmt$/.test(name)) this.#query(name, value as Tree, ctes)
        else this.node(value, ctes)
  }

  #query(kind: string, body: Tree, outer: ReadonlySet<string>): void {
    const ctes = new Set(outer)
    for (const { CommonTableExpr: cte } of body['withClause']?.ctes ?? []) ctes.add(cte.ctename)
    for (const side of ['larg', 'rarg']) if (body[side]) this.#query('SelectStmt', body[side] as Tree, ctes)
    const leaves = [...(body['fromClause'] ?? []), ...(body['usingClause'] ?? [])].flatMap((item: Tree) =>
      this.#leaves(item, ctes, false),
    )
    for (const { table, alias, hasAlias, at } of leaves.filter(({ isApart }) => isApart)) {
      const { end } = this.#tokens[this.#tokenAt(at)]!
      const whole = `(select * from ${quote(table)} where ${COLUMN} = ${this.#parameter})`
      this.#edits.push({ at, to: end, text: hasAlias ? whole : `${whole} ${quote(alias)}` })
    }
    const narrowed = leaves.filter(({ isApart }) => !isApart)
    if (kind === 'InsertStmt') this.#insert(body, ctes)
    else if (kind !== 'SelectStmt' && this.#isSpread(body['relation'].relname)) {
      const { relname, alias, location } = body['relation'] as Tree
      narrowed.unshift({
        table: relname,
        alias: alias?.aliasname ?? relname,
        hasAlias: Boolean(alias),
        at: location,
        isApart: false,
      })
    }
    if (narrowed.length > 0) this.#narrow(narrowed)
    for (const [name, value] of Object.entries(body)) if (name !== 'larg' && name !== 'rarg') this.node(value, ctes)
  }

  #leaves(item: Tree, ctes: ReadonlySet<string>, isApart: boolean): Leaf[] {
    if (item['RangeVar']) {
      const { relname, alias, location, schemaname } = item['RangeVar'] as Tree
      if (schemaname || ctes.has(relname) || !this.#isSpread(relname)) return []
      return [{ table: relname, alias: alias?.aliasname ?? relname, hasAlias: Boolean(alias), at: location, isApart }]
    }
    if (!item['JoinExpr']) return []
    const { jointype, larg, rarg } = item['JoinExpr'] as Tree
    const isFull = jointype === 'JOIN_FULL'
    return [
      ...this.#leaves(larg, ctes, isApart || isFull || jointype === 'JOIN_RIGHT'),
      ...this.#leaves(rarg, ctes, isApart || isFull || jointype === 'JOIN_LEFT' || Boolean(rarg.JoinExpr)),
    ]
  }

  #tokenAt(at: number): number {
    return this.#tokens.findIndex(({ start }) => start === at)
  }

  /** Adds to the conditions of the query in whose FROM, or as whose target, the leaves stand. */
  #narrow(leaves: readonly Leaf[]): void {
    const wanted = leaves.map(({ alias }) => `${quote(alias)}.${COLUMN} = ${this.#parameter}`).join(' and ')
    let [depth, where] = [0, undefined as Token | undefined]
    let end = this.#tokens.at(-1)!.end
    for (let i = this.#tokenAt(leaves[0]!.at) + 1; i < this.#tokens.length; i++) {
      const token = this.#tokens[i]!
      const word = token.text.toLowerCase()
      if (word === '(' || word === '[') depth++
      else if (word === ')' || word === ']') depth--
      const isEnd =
        depth < 0 ||
        (depth === 0 &&
          ((ENDS.has(word) && this.#tokens[i - 1]!.text.toLowerCase() !== 'within') ||
            (word === 'on' && this.#tokens[i + 1]?.text.toLowerCase() === 'conflict')))
      if (isEnd) {
        end = this.#tokens[i - 1]!.end
        break
      }
      if (depth === 0 && word === 'where') where = token
    }
    if (where)
      this.#edits.push({ at: where.end, to: where.end, text: ` ${wanted} and (` }, { at: end, to: end, text: ')' })
    else this.#edits.push({ at: end, to: end, text: ` where ${wanted}` })
  }

  #insert({ relation, cols, selectStmt }: Tree, ctes: ReadonlySet<string>): void {
    const columns = (cols ?? []) as Tree[]
    const isSaid = columns.length === 0 || columns.some((each) => each['ResTarget'].name === COLUMN)
    if (isSaid || ctes.has(relation.relname) || !this.#isSpread(relation.relname) || !selectStmt) return
    this.#put(columns[0]!['ResTarget'].location, `${COLUMN}, `)
    const put = (select: Tree): void => {
      if (select['larg']) for (const side of [select['larg'], select['rarg']]) put(side as Tree)
      else if (!select['valuesLists']) this.#put(select['targetList'][0].ResTarget.location, `${this.#parameter}, `)
    }
    put(selectStmt.SelectStmt)
    if (selectStmt.SelectStmt.valuesLists) this.#eachRow(relation.location)
  }

  #eachRow(after: number): void {
    let [depth, isIn] = [0, false]
    for (let i = this.#tokenAt(after); i < this.#tokens.length; i++) {
      const { text, end } = this.#tokens[i]!
      const word = text.toLowerCase()
      if (isIn && depth === 0 && (word === 'on' || word === 'returning' || word === ')')) return
      if (word === 'values' && depth === 0) isIn = true
      if (word === '(') {
        if (isIn && depth === 0) this.#put(end, `${this.#parameter}, `)
        depth++
      } else if (word === ')') depth--
    }
  }

  #put(at: number, text: string): void {
    this.#edits.push({ at, to: at, text })
  }
}
