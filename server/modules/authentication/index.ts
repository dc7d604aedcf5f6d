import type { Job } from '../../kernel/jobs/index.ts'
import type { Operation } from '../../kernel/operation.ts'
import { apiKeyOperations } from './api-keys.ts'
import { create } from './create-user.ts'
import { deviceOperations } from './devices.ts'
import { logout, session, wsTicket } from './session.ts'
import { remove } from './remove-user.ts'
import { pairingOperations } from './pairing.ts'
import { listSessions, revokeOthers, revokeOwn } from './own-sessions.ts'
import { accept, view } from './email/accept.ts'
import { changeEmail, confirmEmail } from './email/address.ts'
import { invite, inviteFirst, listInvitations, viewFirst, withdraw } from './email/invitations.ts'
import { jobs as emailJobs } from './email/jobs.ts'
import { headJobs, headOperations } from './audit-heads.ts'
import { change, forgot, reset } from './email/password.ts'
import { passkeyOperations } from './passkeys/index.ts'
import { secondFactorOperations } from './second-factor/operations.ts'
import { impersonate } from './platform/impersonate.ts'
import { findPeople, updatePerson } from './platform/people.ts'
import { login, refresh, token } from './sign-in.ts'
import { enter } from './sso/enter.ts'
import { getProvider, removeProvider, setProvider } from './sso/settings.ts'
import { finishSso, startSso } from './sso/sign-in.ts'
import { switchTenant } from './switch-tenant.ts'
import { update } from './update-user.ts'
import { get, list } from './users.ts'

export { actorOfToken, signAccessToken, verifyAccessToken, type AccessClaims } from './access-token.ts'
export { consoles, csrfTokenOf, isCsrfToken } from './console.ts'
export { bearers } from './credentials.ts'
export { narrowing, unknownReferences } from './narrowing.ts'
export { cookieOf } from './cookies.ts'
export {
  forgedOf,
  isSignedHead,
  PLATFORM_HEADS,
  readHeads,
  signHeadsAnew,
  useAuditHeads,
  type SignedHead,
} from './audit-heads.ts'
export { checkAttempts, recordFailure, useAttemptStore } from './attempts.ts'
export { auditFailedSignIns, flushFailedSignIns } from './failed-sign-ins.ts'
export { useSigningKeys } from './keys.ts'
export { guardedFetch } from './sso/providers/guarded-fetch.ts'
export { hashPassword } from './passwords.ts'
export { isMac, mac, seal, unseal } from './keys.ts'
export { announceEnd, isRevoked, onRevoked, revokeSession, revokeUser, watchRevocations } from './revocations.ts'
export { endedSessions } from './standing.ts'
export { createSuperuser } from './superuser.ts'
export { emitPresence, notePresence, type PresenceRow } from './presence.ts'
export { provenActor } from './proofs.ts'
export { resealSecrets } from './reseal.ts'
export { redeemWsTicket } from './ws-tickets.ts'

export const jobs: readonly Job[] = [...emailJobs, ...headJobs]
export const operations: readonly Operation[] = [
  ...headOperations,
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
  switchTenant,
  getProvider,
  setProvider,
  removeProvider,
  startSso,
  finishSso,
  enter,
  forgot,
  reset,
  change,
  changeEmail,
  confirmEmail,
  view,
  accept,
  invite,
  listInvitations,
  withdraw,
  impersonate,
  inviteFirst,
  viewFirst,
  findPeople,
  updatePerson,
  list,
  get,
  create,
  update,
  remove,
  ...apiKeyOperations,
  ...deviceOperations,
  ...pairingOperations,
]
