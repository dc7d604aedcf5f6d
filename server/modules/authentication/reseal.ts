import type { Database, Tx } from '../../kernel/db/types.ts'
import { resealed } from './keys.ts'

/** A secret that the database keeps sealed: for what, in which column, and what names its row. */
export interface Sealed {
  purpose: string
  table: string
  column: string
  id: string
}
/** Of organisations. A new purpose of `seal` belongs here, or it cannot be read once a key is given up. */
export const SEALED: readonly Sealed[] = [
  { purpose: 'webhook', table: 'webhooks', column: 'secret', id: 'id' },
  { purpose: 'webhook', table: 'webhooks', column: 'former_secret', id: 'id' },
  { purpose: 'sso', table: 'identity_providers', column: 'client_secret', id: 'tenant_id' },
  { purpose: 'calendar', table: 'calendar_links', column: 'password', id: 'id' },
]
/** Of people, who belong to no organisation. */
export const SEALED_OUTSIDE: readonly Sealed[] = [
  { purpose: 'totp', table: 'code_generators', column: 'secret', id: 'user_id' },
]

export interface ResealReport {
  resealed: number
  /** Sealed with SECRET_KEY already. */
  current: number
  /** No key that this process has opens them. */
  unreadable: number
}

/** Seals with SECRET_KEY whatever former keys sealed, so that those can be given up. May run beside traffic, and again. */
export async function resealSecrets(db: Database): Promise<ResealReport> {
  const report: ResealReport = { resealed: 0, current: 0, unreadable: 0 }
  const tenants = await db.platform((tx) => tx.query<{ id: number }>('select id from tenants order by id'))
  for (const { id } of tenants)
    await db.tenant(id, async (tx) => {
      for (const sealed of SEALED) await resealColumn(tx, sealed, report)
    })
  await db.platform(async (tx) => {
    for (const sealed of SEALED_OUTSIDE) await resealColumn(tx, sealed, report)
  })
  return report
}

async function resealColumn(tx: Tx, { purpose, table, column, id }: Sealed, report: ResealReport): Promise<void> {
  const rows = await tx.query<{ id: number; sealed: Buffer }>(
    `select ${id} as id, ${column} as sealed from ${table} where ${column} is not null`,
  )
  for (const row of rows) {
    let fresh: Buffer | undefined
    try {
      fresh = resealed(purpose, row.sealed)
    } catch {
      report.unreadable++
      continue
    }
    if (!fresh) {
      report.current++
      continue
    }
    // Somebody may have given it another secret meanwhile, which the current key sealed.
    await tx.query(`update ${table} set ${column} = $3 where ${id} = $1 and ${column} = $2`, [
      row.id,
      row.sealed,
      fresh,
    ])
    report.resealed++
  }
}
