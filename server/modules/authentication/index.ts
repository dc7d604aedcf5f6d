import type { Operation } from '../../kernel/operation.ts'
import { create } from './create-user.ts'
import { logout, session, wsTicket } from './session.ts'
import { remove } from './remove-user.ts'
import { refresh, token } from './sign-in.ts'
import { update } from './update-user.ts'
import { get, list } from './users.ts'

export { actorOfToken, signAccessToken, verifyAccessToken, type AccessClaims } from './access-token.ts'
export { useSigningKeys } from './keys.ts'
export { hashPassword } from './passwords.ts'
export { isRevoked, onRevoked, revokeSession, revokeUser, watchRevocations } from './revocations.ts'
export { createSuperuser } from './superuser.ts'
export { redeemWsTicket } from './ws-tickets.ts'

export const operations: readonly Operation[] = [
  token,
  refresh,
  logout,
  session,
  wsTicket,
  list,
  get,
  create,
  update,
  remove,
]
