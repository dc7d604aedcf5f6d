import type { Database } from '../../kernel/db/types.ts'
import { checkPassword, hashPassword, withPasswordSlot } from './passwords.ts'
import { revokeUser } from './revocations.ts'

/**
 * Makes an operator of the platform; an existing account of that e-mail becomes one and gets the new password.
 * @throws AppError invalid_input `password_too_weak`
 */
export async function createSuperuser(
  db: Database,
  person: { email: string; name: string; password: string },
): Promise<{ id: number; email: string }> {
  const email = person.email.trim().toLowerCase()
  checkPassword(person.password, email)
  const passwordHash = await withPasswordSlot(() => hashPassword(person.password))
  return db.platform(async (tx) => {
    const operator = await tx.one<{ id: number; email: string }>(
      `insert into users (email, name, password_hash, is_operator) values ($1, $2, $3, true)
       on conflict (email) do update
         set password_hash = excluded.password_hash, is_operator = true, is_active = true, updated_at = now()
       returning id, email`,
      [email, person.name, passwordHash],
    )
    await revokeUser(tx, operator.id)
    return operator
  })
}
