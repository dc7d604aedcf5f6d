import type { Database } from '../../kernel/db/types.ts'
import { Closed, Name } from '../../kernel/schema.ts'
import { checkGiven } from '../../kernel/validate.ts'
import { checkPassword, hashPassword, withPasswordSlot } from './passwords.ts'
import { renewCredentials } from './renew-credentials.ts'
import { Email, Password } from './schema.ts'

const Given = Closed({ email: Email, name: Name, password: Password })

/**
 * Makes an operator of the platform; an existing account of that e-mail becomes one, with this password alone.
 * @throws AppError invalid_input naming each field; `password_too_weak`
 */
export async function createSuperuser(
  db: Database,
  person: { email: string; name: string; password: string },
): Promise<{ id: number; email: string }> {
  const email = person.email.trim().toLowerCase()
  checkGiven(Given, { ...person, email })
  checkPassword(person.password, email)
  const passwordHash = await withPasswordSlot(() => hashPassword(person.password))
  return db.platform(async (tx) => {
    const operator = await tx.one<{ id: number; email: string }>(
      `insert into users (email, name, is_operator) values ($1, $2, true)
       on conflict (email) do update set is_operator = true, is_active = true
       returning id, email`,
      [email, person.name],
    )
    await renewCredentials(tx, operator.id, passwordHash, true)
    return operator
  })
}
