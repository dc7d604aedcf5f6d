import Type from 'typebox'
import { MANAGERS } from '../../../kernel/access.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Id, Time } from '../../../kernel/schema.ts'

/** Somebody has seen it and looks after it: for a day nobody else is bothered with the same alert. */
export const acknowledge = operation({
  id: 'sites.acknowledgeAlert',
  kind: 'mutation',
  summary: 'Say that an alert of the floor is being looked after',
  description:
    '`alert` names what it is about, as the floor does: `wait:12` a line over its goal, `device:7` a machine that is down. Everybody’s floor shows who took it.',
  scope: 'write:queue',
  roles: MANAGERS,
  http: { method: 'POST', path: '/sites/{id}/acknowledge-alert/' },
  input: Closed({ id: Id, alert: Type.String({ pattern: '^[a-z_]{1,30}:\\d{1,16}$' }) }),
  output: Closed({ alert: Type.String(), by: Type.String({ description: 'Empty where a program did' }), at: Time }),
  example: { input: { id: 1, alert: 'wait:1' } },
  async run(ctx, { id, alert }) {
    await ctx.tx.one('select id from sites where id = $1', [id])
    const { at, name } = await ctx.tx.one<{ at: string; name: string | null }>(
      `insert into alert_acknowledgements (site_id, alert, user_id) values ($1, $2, $3)
       on conflict (tenant_id, site_id, alert) do update set user_id = excluded.user_id, at = now()
       returning at, (select u.name from users u where u.id = $3) as name`,
      [id, alert, ctx.actor.userId],
    )
    const row = { alert, by: name ?? '', at }
    ctx.record({ before: null, after: { id, alert }, isPersonal: false })
    ctx.emit({ type: 'site.alert_acknowledged', site_id: id, data: { alert } })
    return row
  },
})
