import Type, { type Static } from 'typebox'
import type { Tx } from '../../../kernel/db/types.ts'
import { checkProof } from '../../../kernel/access.ts'
import { conflict } from '../../../kernel/errors.ts'
import { operation, type Context } from '../../../kernel/operation.ts'
import { Closed, Id, Nullable, Time } from '../../../kernel/schema.ts'
import { checkGrant, checkMembership } from '../create-user.ts'
import { Email } from '../schema.ts'
import { membershipFields, usersWrite } from '../users.ts'
import { INVITATION } from './jobs.ts'
import { LINK_SECONDS } from './links.ts'

const Invitation = Closed({
  id: Id,
  email: Type.String(),
  ...membershipFields,
  invited_by: Nullable(Id),
  created_at: Time,
  expires_at: Time,
})
type Invitation = Static<typeof Invitation>
const COLUMNS = 'id, email, role, site_ids, queue_ids, invited_by, created_at, expires_at'

export const invite = operation({
  ...usersWrite,
  id: 'invitations.create',
  kind: 'mutation',
  mayNeedProof: true,
  summary: 'Invite somebody by e-mail',
  description:
    'Whether or not the person has an account, the link makes them a member. Inviting them again sends a new link, and ' +
    'the old one no longer works.',
  http: { method: 'POST', path: '/invitations/', status: 201 },
  input: Closed({
    email: Email,
    role: membershipFields.role,
    site_ids: Type.Optional(membershipFields.site_ids),
    queue_ids: Type.Optional(membershipFields.queue_ids),
  }),
  output: Invitation,
  example: { input: { email: 'nadia@demo-bank.example', role: 'agent' } },
  async run(ctx, { email: typed, role, site_ids = null, queue_ids = null }) {
    checkGrant(ctx.actor, { site_ids, queue_ids, role })
    if (role === 'admin') checkProof(ctx.actor)
    await checkMembership(ctx.tx, { site_ids, queue_ids })
    return send(ctx, { email: typed.toLowerCase(), role, site_ids, queue_ids })
  },
})

const hasAdministrator = async (tx: Tx): Promise<boolean> =>
  (await tx.maybe(
    `select from memberships m join users u on u.id = m.user_id where m.role = 'admin' and m.is_active and u.is_active`,
  )) !== undefined

export const viewFirst = operation({
  id: 'invitations.first',
  kind: 'query',
  summary: 'Read whether an organisation has an administrator, or who is invited to be the first',
  scope: 'admin:tenant',
  roles: ['operator'],
  http: { method: 'GET', path: '/invitations/first/' },
  input: Closed({}),
  output: Closed({ has_administrator: Type.Boolean(), invited: Type.Array(Type.String()) }),
  example: { input: {} },
  async run({ tx }) {
    const open = await tx.query<{ email: string }>(
      `select email from invitations where role = 'admin' and expires_at > now() order by id desc limit 10`,
    )
    return { has_administrator: await hasAdministrator(tx), invited: open.map(({ email }) => email) }
  },
})

/** Begins an organisation: until it has an administrator, nobody in it could let anybody in. */
export const inviteFirst = operation({
  id: 'invitations.createFirst',
  kind: 'mutation',
  summary: 'Invite the first administrator of an organisation',
  description:
    'Refused once the organisation has an administrator: they invite the others. Inviting again sends a new link, and the old ' +
    'one no longer works.',
  scope: 'admin:tenant',
  roles: ['operator'],
  http: { method: 'POST', path: '/invitations/first/', status: 201 },
  input: Closed({ email: Email }),
  output: Invitation,
  example: { input: { email: 'nadia@demo-bank.example' } },
  async run(ctx, { email }) {
    if (await hasAdministrator(ctx.tx)) throw conflict('has_administrator')
    return send(ctx, { email: email.toLowerCase(), role: 'admin', site_ids: null, queue_ids: null })
  },
})

async function send(
  ctx: Context,
  { email, role, site_ids, queue_ids }: Pick<Invitation, 'email' | 'role' | 'site_ids' | 'queue_ids'>,
): Promise<Invitation> {
  const { tx } = ctx
  const member = await tx.maybe('select from memberships m join users u on u.id = m.user_id where u.email = $1', [
    email,
  ])
  if (member) throw conflict('email_taken')
  const invitation = await tx.one<Invitation>(
    `insert into invitations (email, role, site_ids, queue_ids, invited_by, expires_at)
       values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
       on conflict (tenant_id, email) do update set role = excluded.role, site_ids = excluded.site_ids,
         queue_ids = excluded.queue_ids, invited_by = excluded.invited_by, expires_at = excluded.expires_at,
         nonce = gen_random_uuid(), created_at = now()
       returning ${COLUMNS}`,
    [email, role, site_ids, queue_ids, ctx.actor.userId, LINK_SECONDS.invitation],
  )
  const payload = { invitation_id: invitation.id, base: ctx.url('') }
  await ctx.enqueue(INVITATION, payload, { job_key: `invitation:${ctx.tenant.id}:${invitation.id}` })
  ctx.emit({ type: 'invitation.created', site_id: 0, data: { invitation: { id: invitation.id, role } } })
  return invitation
}

export const listInvitations = operation({
  ...usersWrite,
  id: 'invitations.list',
  kind: 'query',
  summary: 'List open invitations',
  http: { method: 'GET', path: '/invitations/' },
  input: Closed({}),
  output: Closed({ results: Type.Array(Invitation) }),
  example: { input: {} },
  run: async ({ tx }) => ({
    results: await tx.query<Invitation>(
      `select ${COLUMNS} from invitations where expires_at > now() order by id desc limit 500`,
    ),
  }),
})

export const withdraw = operation({
  ...usersWrite,
  id: 'invitations.delete',
  kind: 'mutation',
  summary: 'Withdraw an invitation',
  http: { method: 'DELETE', path: '/invitations/{id}/', status: 204 },
  input: Closed({ id: Id }),
  output: Type.Null(),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const withdrawn = await ctx.tx.one<Pick<Invitation, 'site_ids' | 'queue_ids' | 'role'>>(
      'delete from invitations where id = $1 returning site_ids, queue_ids, role',
      [id],
    )
    checkGrant(ctx.actor, withdrawn)
    ctx.emit({ type: 'invitation.deleted', site_id: 0, data: { invitation: { id } } })
    return null
  },
})
