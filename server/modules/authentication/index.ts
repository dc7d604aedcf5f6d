import type { Operation } from '../../kernel/operation.ts'
import { apiKeyOperations } from './api-keys.ts'
import { create } from './create-user.ts'
import { deviceOperations } from './devices.ts'
import { logout, session, wsTicket } from './session.ts'
import { remove } from './remove-user.ts'
import { pairingOperations } from './pairing.ts'
import { listSessions, revokeOthers, revokeOwn } from './own-sessions.ts'
import { passkeyOperations } from './passkeys/index.ts'
import { secondFactorOperations } from './second-factor/operations.ts'
import { login, refresh, token } from './sign-in.ts'
import { update } from './update-user.ts'
import { get, list } from './users.ts'

export { actorOfToken, signAccessToken, verifyAccessToken, type AccessClaims } from './access-token.ts'
export { actorOfConsole, consoleSecretOf, isCsrfToken } from './console.ts'
export { bearers } from './credentials.ts'
export { narrowing, unknownReferences } from './narrowing.ts'
export { useSigningKeys } from './keys.ts'
export { hashPassword } from './passwords.ts'
export { isRevoked, onRevoked, revokeSession, revokeUser, watchRevocations } from './revocations.ts'
export { createSuperuser } from './superuser.ts'
export { provenActor } from './proofs.ts'
export { redeemWsTicket } from './ws-tickets.ts'

export const operations: readonly Operation[] = [
  token,
  login,
  refresh,
  logout,
  session,
  wsTicket,
  listSessions,
  revokeOwn,
  revokeOthers,
  ...passkeyOperations,
  ...secondFactorOperations,
  list,
  get,
  create,
  update,
  remove,
  ...apiKeyOperations,
  ...deviceOperations,
  ...pairingOperations,
]
