import type { Static } from 'typebox'
import type { Tx } from '../../kernel/db/types.ts'
import type { Tenant } from '../../kernel/operation.ts'
import { normalisePhone } from './phone.ts'
import type { Person } from './schema.ts'

interface Known {
  id: number
  name: string
  phone: string | null
  email: string | null
  locale: string | null
}

/**
 * Id of the customer with this phone or else this e-mail, or of a new one. What was unknown of them is filled in; what
 * was known stays, since anybody may type anybody's number.
 * @param isTrusted false for strangers: they are recognised, but what they type changes nobody that is known
 * @param path pointer to the person in the caller's input, for refused fields
 * @returns null when nothing was said that makes a person
 * @throws AppError invalid_input `phone` at `<path>/phone`
 */
export async function identify(
  tx: Tx,
  tenant: Tenant,
  person: Static<typeof Person>,
  isTrusted = true,
  path = '/customer',
): Promise<number | null> {
  const phone = person.phone === undefined ? null : normalisePhone(person.phone, tenant, `${path}/phone`)
  const email = person.email?.toLowerCase() ?? null
  const name = person.name?.trim() ?? ''
  const locale = person.locale ?? null
  if (phone === null && email === null) {
    return name === '' ? null : insert(tx, { name, phone, email, locale })
  }
  let known = await find(tx, phone, email)
  if (!known) {
    // Two first visits of one person at once make one customer: the second waits here and then finds the first.
    await tx.query(
      `select pg_advisory_xact_lock(hashtextextended('customer:' || app.tenant_id() || ':' || $1::text, 0))`,
      [phone ?? email],
    )
    known = await find(tx, phone, email)
  }
  if (!known) return insert(tx, { name, phone, email, locale })
  if (!isTrusted) return known.id
  const learnt = {
    name: known.name || name,
    phone: known.phone ?? phone,
    email: known.email ?? email,
    locale: known.locale ?? locale,
  }
  if (Object.entries(learnt).some(([key, value]) => known[key as keyof Known] !== value)) {
    await tx.query(
      'update customers set name = $2, phone = $3, email = $4, locale = $5, updated_at = now() where id = $1',
      [known.id, learnt.name, learnt.phone, learnt.email, learnt.locale],
    )
  }
  return known.id
}

/**
 * A stranger to whom a link is going to be sent. Whoever is known by the phone with another e-mail, or with none, would not
 * be reached there: then the e-mail alone says who it is.
 */
export async function identifyByMail(tx: Tx, tenant: Tenant, person: Static<typeof Person>): Promise<number | null> {
  const id = await identify(tx, tenant, person, false)
  const known = id === null ? undefined : await tx.maybe<Known>('select email from customers where id = $1', [id])
  if (known?.email === person.email?.toLowerCase()) return id
  const { phone: _, ...byMail } = person
  return identify(tx, tenant, byMail, false)
}

/** By phone first: it was more likely verified by use. The oldest wins where several share it. */
function find(tx: Tx, phone: string | null, email: string | null): Promise<Known | undefined> {
  return tx.maybe<Known>(
    `(select id, name, phone, email, locale from customers where phone = $1 order by id limit 1)
     union all
     (select id, name, phone, email, locale from customers where email = $2 order by id limit 1)
     limit 1`,
    [phone, email],
  )
}

async function insert(tx: Tx, { name, phone, email, locale }: Omit<Known, 'id'>): Promise<number> {
  const { id } = await tx.one<{ id: number }>(
    'insert into customers (name, phone, email, locale) values ($1, $2, $3, $4) returning id',
    [name, phone, email, locale],
  )
  return id
}
