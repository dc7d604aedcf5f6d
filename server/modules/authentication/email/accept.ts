import Type from 'typebox'
import { ROLES } from '../../../kernel/access.ts'
import type { Tx } from '../../../kernel/db/types.ts'
import { AppError, conflict, invalid } from '../../../kernel/errors.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Enum, Id, Locale, Name, Nullable, Slug } from '../../../kernel/schema.ts'
import { isKeptBySomebody, storeAccount } from '../create-user.ts'
import { checkPassword, hashPassword, withPasswordSlot } from '../passwords.ts'
import { renewCredentials } from '../renew-credentials.ts'
import { MEMBER_ROLES, Password } from '../schema.ts'
import { readLink } from './links.ts'
import { LinkToken } from './password.ts'

/** Hashing holds a transaction here: few at a time may wait for it. */
const MAX_WAITING = 2

const Door = Closed({ id: Id, slug: Slug, name: Name })
interface Invitation {
  id: number
  email: string
  role: (typeof MEMBER_ROLES)[number]
  site_ids: number[] | null
  queue_ids: number[] | null
  tenant: { id: number; slug: string; name: string }
  user_id: number | null
  /** The person has shown before that the e-mail is theirs. */
  is_verified: boolean
}

/** The invitation of a link, in the transaction of its tenant. @throws AppError unauthorized `link_expired` */
async function open(tx: Tx, token: string): Promise<Invitation> {
  const { tenant_id, invitation_id, nonce } = readLink('invitation', token)
  // The link is our own word for the tenant, as a credential's would be.
  await tx.query(`select set_config('app.current_tenant_id', $1, true)`, [String(tenant_id)])
  const found = await tx.maybe<Omit<Invitation, 'tenant'> & { tenant_id: number; slug: string; name: string }>(
    `select i.id, i.email, i.role, i.site_ids, i.queue_ids, t.id as tenant_id, t.slug, t.name, u.id as user_id,
       u.email_verified_at is not null as is_verified
     from invitations i join tenants t on t.id = i.tenant_id and t.is_active left join users u on u.email = i.email
     where i.id = $1 and i.nonce = $2 and i.expires_at > now() for update of i`,
    [invitation_id, nonce],
  )
  if (!found) throw new AppError('unauthorized', 'link_expired')
  const { tenant_id: id, slug, name, ...invitation } = found
  return { ...invitation, tenant: { id, slug, name } }
}

/** Must the person choose a password? Not one who has an account that is known to be theirs. */
const isKnown = async (tx: Tx, { user_id, is_verified }: Invitation) =>
  user_id !== null && is_verified && (await isKeptBySomebody(tx, user_id))

export const view = operation({
  id: 'auth.viewInvitation',
  kind: 'mutation',
  summary: 'Read an invitation',
  unaudited: 'changes nothing: it is a mutation only so that the link stays out of addresses',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/invitations/view/', base: 'root' },
  input: Closed({ token: LinkToken }),
  output: Closed({
    tenant: Door,
    email: Type.String(),
    role: Enum(MEMBER_ROLES),
    needs_password: Type.Boolean({ description: 'Accepting takes a name and a new password' }),
  }),
  example: { input: { token: 'eyJhbGciOiJIUzI1NiJ9.e30.signature' } },
  async run({ tx }, { token }) {
    const invitation = await open(tx, token)
    const { tenant, email, role } = invitation
    return { tenant, email, role, needs_password: !(await isKnown(tx, invitation)) }
  },
})

export const accept = operation({
  id: 'auth.acceptInvitation',
  kind: 'mutation',
  summary: 'Accept an invitation',
  description:
    'Makes the person a member; it signs nobody in. An account that somebody else made under this e-mail passes to its ' +
    'owner with a new password, and whoever used it before is shut out.',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/invitations/accept/', base: 'root', status: 201 },
  input: Closed({
    token: LinkToken,
    name: Type.Optional(Name),
    password: Type.Optional(Password),
    locale: Type.Optional(Nullable(Locale)),
  }),
  output: Closed({ tenant: Door, user: Closed({ id: Id, email: Type.String() }), role: Enum(MEMBER_ROLES) }),
  example: {
    input: { token: 'eyJhbGciOiJIUzI1NiJ9.e30.signature', name: 'Nadia Benali', password: 'correct horse battery' },
  },
  constraints: { memberships_pkey: () => conflict('email_taken'), users_email_key: () => conflict('email_taken') },
  async run({ tx, emit }, { token, name, password, locale = null }) {
    const invitation = await open(tx, token)
    const { email, role, site_ids, queue_ids, tenant } = invitation
    // Everybody who lets a known person in waits for this lock, so what is read next stays true until the end.
    await tx.query('select from users where email = $1 for no key update', [email])
    let userId = invitation.user_id
    if (!(await isKnown(tx, invitation))) {
      if (password === undefined) throw invalid('/password', 'required')
      checkPassword(password, email)
      if (userId !== null && (await isKeptBySomebody(tx, userId))) {
        const hash = await withPasswordSlot(() => hashPassword(password), MAX_WAITING)
        await renewCredentials(tx, userId, hash, true)
      } else {
        if (name === undefined) throw invalid('/name', 'required')
        userId = await storeAccount(tx, userId ?? undefined, { email, name, locale, password })
        await tx.query('update users set email_verified_at = now() where id = $1', [userId])
      }
    }
    await tx.query('insert into memberships (user_id, role, site_ids, queue_ids) values ($1, $2, $3, $4)', [
      userId,
      role,
      site_ids,
      queue_ids,
    ])
    await tx.query('delete from invitations where id = $1', [invitation.id])
    emit({ type: 'user.created', site_id: 0, actor: `user:${userId!}`, data: { user: { id: userId!, role } } })
    return { tenant, user: { id: userId!, email }, role }
  },
})
