import Type from 'typebox'
import { conflict } from '../../../kernel/errors.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Id, Text } from '../../../kernel/schema.ts'
import { ACCOUNT_COLUMNS, chooseStanding, type AccountRow } from '../accounts.ts'
import { startConsole } from '../console.ts'
import { ConsoleSession } from '../schema.ts'

export const impersonate = operation({
  id: 'users.impersonate',
  kind: 'mutation',
  summary: 'Act as a user, for support',
  description:
    'A console session as this person, which ends by itself. Every page shows a banner (`impersonation` of the session), ' +
    'everything done is on record under both names, and nothing that asks for a fresh proof is possible.',
  scope: 'admin:tenant',
  roles: ['operator'],
  needsProof: true,
  http: { method: 'POST', path: '/users/{id}/impersonate/', cookie: 'session' },
  input: Closed({
    id: Id,
    reason: Text(500, { minLength: 10 }),
    minutes: Type.Integer({ minimum: 1, maximum: 60 }),
  }),
  output: ConsoleSession,
  example: { input: { id: 1, reason: 'Ticket 4711: the board stays empty', minutes: 15 } },
  async run(ctx, { id, reason, minutes }) {
    const { tx, actor, tenant, origin } = ctx
    const account = await tx.one<AccountRow>(
      `select ${ACCOUNT_COLUMNS} from users u join memberships m on m.user_id = u.id and m.is_active
       where u.id = $1 and u.is_active`,
      [id],
    )
    if (account.is_operator) throw conflict('user_is_operator')
    const standing = await chooseStanding(tx, account, tenant.slug)
    const session = await startConsole(
      tx,
      {
        account,
        standing,
        method: 'impersonation',
        isProven: false,
        origin,
        impersonation: { operatorId: actor.userId!, reason },
      },
      minutes * 60,
    )
    ctx.record({ before: null, after: { reason, minutes } })
    ctx.emit({ type: 'user.impersonated', site_id: 0, data: { user: { id }, operator_id: actor.userId, minutes } })
    return session
  },
})
