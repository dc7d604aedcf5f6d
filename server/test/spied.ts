import type { Database, Tx } from '../kernel/db/types.ts'

export interface Statement {
  text: string
  values: readonly unknown[]
}

/** A database that notes, in `statements`, what is asked of it on behalf of organisations, in order. */
export function spiedDatabase(plain: Database): { db: Database; statements: Statement[] } {
  const statements: Statement[] = []
  const spied = (tx: Tx): Tx => {
    const note = (text: string, values: readonly unknown[] = []) => void statements.push({ text, values })
    return {
      query: (text, values) => (note(text, values), tx.query(text, values)),
      maybe: (text, values) => (note(text, values), tx.maybe(text, values)),
      one: (text, values) => (note(text, values), tx.one(text, values)),
    }
  }
  const db: Database = new Proxy(plain, {
    get(target, name) {
      if (name === 'reader') return (...of: Parameters<Database['reader']>) => spied(target.reader(...of))
      if (name === 'tenant')
        return ((tenantId, work, pool) =>
          target.tenant(
            tenantId,
            (tx) => work({ ...spied(tx), finish: (last) => tx.finish(last) }),
            pool,
          )) satisfies Database['tenant']
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { db, statements }
}
