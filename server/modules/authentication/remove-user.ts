import Type from 'typebox'
import { databaseError } from '../../kernel/db/index.ts'
import { conflict } from '../../kernel/errors.ts'
import { checkIfMatch } from '../../kernel/etag.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { checkGrant } from './create-user.ts'
import { revokeUser } from './revocations.ts'
import { get, lockMemberships, SELECT_USERS, type User, usersWrite } from './users.ts'

export const remove = operation({
  ...usersWrite,
  id: 'users.delete',
  kind: 'mutation',
  summary: 'Remove a user from the organisation',
  description: 'Ends the membership and its sessions; the person keeps the account. Agents must be given up first.',
  needsProof: true,
  http: { method: 'DELETE', path: '/users/{id}/', status: 204 },
  input: Closed({ id: Id }),
  output: Type.Null(),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const { tx } = ctx
    const { otherAdmins } = await lockMemberships(tx, id)
    const user = await tx.one<User>(`${SELECT_USERS} where m.user_id = $1`, [id])
    checkIfMatch(ctx.ifMatch, get, user)
    checkGrant(ctx.actor, user)
    if (user.role === 'admin' && otherAdmins === 0) throw conflict('last_admin')
    await tx.query('delete from memberships where user_id = $1', [id]).catch((error: unknown) => {
      throw databaseError(error)?.code === '23503' ? conflict('in_use') : error
    })
    await revokeUser(tx, id, ctx.tenant.id)
    ctx.emit({ type: 'user.deleted', site_id: 0, data: { user: { id } } })
    return null
  },
})
