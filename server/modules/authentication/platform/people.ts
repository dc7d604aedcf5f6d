import Type, { type Static } from 'typebox'
import type { Role } from '../../../kernel/access.ts'
import { conflict } from '../../../kernel/errors.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Id, Name, Slug, Text } from '../../../kernel/schema.ts'
import { revokeUser } from '../revocations.ts'

const OPERATORS: readonly Role[] = ['operator', 'system']
const Person = Closed({
  id: Id,
  email: Type.String(),
  name: Name,
  is_active: Type.Boolean(),
  is_operator: Type.Boolean(),
})
type Person = Static<typeof Person>
const COLUMNS = 'id, email, name, is_active, is_operator'

export const findPeople = operation({
  id: 'people.list',
  kind: 'query',
  summary: 'Find people of the platform',
  description: 'By the beginning of their e-mail, fifty at most, with the organisations where they can sign in.',
  scope: 'admin:tenant',
  roles: OPERATORS,
  http: { method: 'GET', path: '/platform/people/', base: 'root' },
  input: Closed({ q: Text(100, { minLength: 3 }) }),
  output: Closed({ results: Type.Array(Closed({ ...Person.properties, tenants: Type.Array(Slug) })) }),
  example: { input: { q: 'agent1@' } },
  run: async ({ tx }, { q }) => ({
    results: await tx.query<Person & { tenants: string[] }>(
      `select ${COLUMNS}, array(select slug from app.memberships_of(u.id)) as tenants
       from users u where starts_with(email, lower($1)) order by email limit 50`,
      [q],
    ),
  }),
})

export const updatePerson = operation({
  id: 'people.update',
  kind: 'mutation',
  summary: 'Close or open an account',
  description: 'A closed account signs in nowhere; its sessions end at once, in every organisation.',
  scope: 'admin:tenant',
  roles: OPERATORS,
  needsProof: true,
  http: { method: 'PATCH', path: '/platform/people/{id}/', base: 'root' },
  input: Closed({ id: Id, is_active: Type.Boolean() }),
  output: Person,
  example: { input: { id: 1, is_active: false } },
  async run({ tx, actor }, { id, is_active }) {
    if (id === actor.userId) throw conflict('own_account')
    const person = await tx.one<Person>(
      `update users set is_active = $2, updated_at = now() where id = $1 returning ${COLUMNS}`,
      [id, is_active],
    )
    if (!is_active) await revokeUser(tx, id)
    return person
  },
})
