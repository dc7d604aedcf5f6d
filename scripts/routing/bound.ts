/** A tree of libpg_query, in JSON: `{ SelectStmt: {…} }` and the like. */
// oxlint-disable-next-line no-explicit-any -- a node has fields of every kind
export type Tree = { readonly [name: string]: any }

/** The engine spreads rows by it. */
const COLUMN = 'tenant_id'
const KNOWN = 'known'

/** What may be named in one FROM, and what lies around it. */
interface Scope {
  names: Map<string, string>
  outer: Scope | undefined
}

/**
 * Tables of one statement whose organisation does not follow from the statement itself: not from a value or parameter it is compared with, directly
 * or through other tables. An engine that spreads rows by organisation asks every node for them.
 */
export function unboundTables(statement: Tree, isSpread: (table: string) => boolean): string[] {
  return new Judge(isSpread).judge(statement)
}

class Judge {
  #isSpread: (table: string) => boolean
  #parent = new Map<string, string>()
  #wanted: [key: string, table: string][] = []
  #count = 0

  constructor(isSpread: (table: string) => boolean) {
    this.#isSpread = isSpread
  }

  judge(statement: Tree): string[] {
    this.#query(statement, undefined, new Map())
    return this.#wanted.filter(([key]) => this.#find(key) !== this.#find(KNOWN)).map(([, table]) => table)
  }

  #key(): string {
    return `k${this.#count++}`
  }
  #find(key: string): string {
    const parent = this.#parent.get(key) ?? key
    return parent === key ? key : this.#find(parent)
  }
  #same(a: string | undefined, b: string | undefined): void {
    if (a !== undefined && b !== undefined) this.#parent.set(this.#find(a), this.#find(b))
  }

  /** @returns the key of the column that a query answers, where it answers it */
  #query(node: Tree, outer: Scope | undefined, known: ReadonlyMap<string, string>): string | undefined {
    const [[kind, body]] = Object.entries(node) as [[string, Tree]]
    const ctes = new Map(known)
    for (const { CommonTableExpr: cte } of body['withClause']?.ctes ?? []) {
      const key = this.#key()
      // A query that refers to itself goes on with the rows it has.
      ctes.set(cte.ctename, key)
      this.#same(this.#query(cte.ctequery, outer, ctes), key)
    }
    if (kind === 'SelectStmt' && body['op'] && body['op'] !== 'SETOP_NONE') {
      const sides = [body['larg'], body['rarg']].map((side) => this.#query({ SelectStmt: side }, outer, ctes))
      this.#same(sides[0], sides[1])
      return sides[0]
    }
    const scope: Scope = { names: new Map(), outer }
    const isChange = kind === 'UpdateStmt' || kind === 'DeleteStmt' || kind === 'InsertStmt' || kind === 'MergeStmt'
    if (isChange) this.#range({ RangeVar: body['relation'] }, scope, new Map())
    for (const item of [...(body['fromClause'] ?? []), ...(body['usingClause'] ?? [])]) this.#range(item, scope, ctes)
    this.#conditions(body['whereClause'], scope, ctes)
    if (kind === 'InsertStmt') this.#insert(body, scope, ctes)
    const answers = [...(body['targetList'] ?? []), ...(body['returningList'] ?? body['returningClause']?.exprs ?? [])]
    for (const part of [
      'targetList',
      'returningList',
      'returningClause',
      'groupClause',
      'havingClause',
      'sortClause',
      'limitCount',
      'valuesLists',
      'onConflictClause',
      'windowClause',
    ])
      this.#inside(body[part], scope, ctes)
    return this.#answered(answers, scope)
  }

  #insert(body: Tree, scope: Scope, ctes: ReadonlyMap<string, string>): void {
    const target = [...scope.names.values()][0]
    const at = (body['cols'] ?? []).findIndex((each: Tree) => each['ResTarget'].name === COLUMN)
    const source = body['selectStmt'] as Tree | undefined
    if (!source) return
    if (at >= 0 && givesValue(source['SelectStmt'] as Tree, at)) this.#same(target, KNOWN)
    const answered = this.#query(source, undefined, ctes)
    if (at >= 0) this.#same(answered, target)
  }

  #range(item: Tree | undefined, scope: Scope, ctes: ReadonlyMap<string, string>): string[] {
    if (!item) return []
    if (item['RangeVar']) {
      const { relname, alias, schemaname } = item['RangeVar'] as Tree
      const cte = schemaname ? undefined : ctes.get(relname)
      const key = this.#key()
      if (cte !== undefined) this.#same(key, cte)
      else if (this.#isSpread(relname)) this.#wanted.push([key, relname])
      scope.names.set(alias?.aliasname ?? relname, key)
      return [key]
    }
    if (item['RangeSubselect']) {
      const { subquery, alias } = item['RangeSubselect'] as Tree
      const key = this.#key()
      this.#same(this.#query(subquery, scope, ctes), key)
      if (alias) scope.names.set(alias.aliasname, key)
      return [key]
    }
    if (item['JoinExpr']) {
      const { larg, rarg, quals, usingClause } = item['JoinExpr'] as Tree
      const [left, right] = [this.#range(larg, scope, ctes), this.#range(rarg, scope, ctes)]
      if (usingClause?.some((each: Tree) => each['String'].sval === COLUMN))
        for (const each of [...left, ...right]) this.#same(each, left[0])
      this.#conditions(quals, scope, ctes)
      return [...left, ...right]
    }
    this.#inside(item, scope, ctes)
    return []
  }

  /** What must be true: equal columns are one, and one that equals a value is known. */
  #conditions(node: Tree | undefined, scope: Scope, ctes: ReadonlyMap<string, string>): void {
    if (!node) return
    if (node['BoolExpr']?.boolop === 'AND_EXPR') {
      for (const each of node['BoolExpr'].args) this.#conditions(each, scope, ctes)
      return
    }
    const { kind, name, lexpr, rexpr } = (node['A_Expr'] ?? {}) as Tree
    if (kind === 'AEXPR_OP' && name?.[0]?.String?.sval === '=') {
      const [left, right] = [this.#column(lexpr, scope), this.#column(rexpr, scope)]
      if (left && right) this.#same(left, right)
      else if (left && isValue(rexpr)) this.#same(left, KNOWN)
      else if (right && isValue(lexpr)) this.#same(right, KNOWN)
      if (lexpr?.RowExpr && rexpr?.RowExpr)
        for (const [i, each] of lexpr.RowExpr.args.entries())
          this.#same(this.#column(each, scope), this.#column(rexpr.RowExpr.args[i], scope))
    }
    this.#inside(node, scope, ctes)
  }

  #column(node: Tree | undefined, scope: Scope): string | undefined {
    const fields = node?.['ColumnRef']?.fields as Tree[] | undefined
    const names = fields?.map((each) => each['String']?.sval as string | undefined)
    if (!names || names.at(-1) !== COLUMN) return undefined
    if (names.length === 1) return [...scope.names.values()][0]
    for (let at: Scope | undefined = scope; at; at = at.outer)
      if (at.names.has(names[0]!)) return at.names.get(names[0]!)
    return undefined
  }

  #answered(targets: readonly Tree[], scope: Scope): string | undefined {
    for (const { ResTarget: target } of targets as { ResTarget: Tree }[]) {
      const fields = target?.['val']?.ColumnRef?.fields as Tree[] | undefined
      if (fields?.at(-1)?.['A_Star']) {
        const from = fields.length > 1 ? scope.names.get(fields[0]!['String'].sval) : [...scope.names.values()][0]
        if (from) return from
      }
      const column = this.#column(target?.['val'], scope)
      if (column && (target!['name'] === undefined || target!['name'] === COLUMN)) return column
    }
    return undefined
  }

  /** Queries inside expressions. */
  #inside(node: unknown, scope: Scope, ctes: ReadonlyMap<string, string>): void {
    if (Array.isArray(node)) for (const each of node) this.#inside(each, scope, ctes)
    else if (node !== null && typeof node === 'object')
      for (const [name, value] of Object.entries(node)) {
        if (name === 'SelectStmt') this.#query({ SelectStmt: value as Tree }, scope, ctes)
        else this.#inside(value, scope, ctes)
      }
  }
}

/** Does every row of a query have a value at a place that the statement itself says? */
const givesValue = (select: Tree, at: number): boolean => {
  if (select['larg']) return givesValue(select['larg'] as Tree, at) && givesValue(select['rarg'] as Tree, at)
  if (select['valuesLists']) return select['valuesLists'].every((row: Tree) => isValue(row['List'].items[at]))
  return isValue(select['targetList']?.[at]?.ResTarget?.val)
}

/** A constant or a parameter, cast or not. */
const isValue = (node: Tree | undefined): boolean =>
  node !== undefined &&
  ('A_Const' in node || 'ParamRef' in node || ('TypeCast' in node && isValue((node['TypeCast'] as Tree)['arg'])))
