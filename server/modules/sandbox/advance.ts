import Type from 'typebox'
import { ONE_NIGHT } from '../../kernel/jobs/index.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed } from '../../kernel/schema.ts'
import { tellLive } from '../tickets/index.ts'
import { movingStatements } from './clock-columns.ts'
import { checkSandbox, SandboxState, shared, stateOf } from './state.ts'

const DAY_SECONDS = 86_400

/** The clock goes on, and nobody else's sandbox with it: the row is held until the end. */
const TICK = `
  insert into sandbox_clocks as c (ahead_seconds) values ($1)
  on conflict (tenant_id) do update set ahead_seconds = c.ahead_seconds + excluded.ahead_seconds returning ahead_seconds`
/** Midnights of the organisation's zone that the sandbox's clock has passed with the last `$3` seconds. */
const MIDNIGHTS = `
  select ((now() + make_interval(secs => $2::bigint)) at time zone t.timezone)::date
    - ((now() + make_interval(secs => $2::bigint - $3::bigint)) at time zone t.timezone)::date as days
  from tenants t where t.id = $1`
const APPOINTMENT_DAYS = `
  update appointments a set day = (a.start_at at time zone s.timezone)::date from sites s
  where s.tenant_id = a.tenant_id and s.id = a.site_id and a.day <> (a.start_at at time zone s.timezone)::date`
/** Whoever adds up days at this moment has finished: figures written in the midst of it would meet those on their way. */
const AFTER_FIGURES = `select pg_advisory_xact_lock(hashtext('analytics.aggregate'), app.tenant_id()::int)`
/** What undoing would bring back has the times from before. */
const NO_UNDO = 'update tickets set undo = null, undo_until = null where undo is not null'
/** What watches the clock; each comes every few minutes by itself. */
const WATCHERS = [
  'tickets.sweep_timers',
  'tickets.apply_rules',
  'tickets.close_day',
  'appointments.sweep',
  'appointments.send_reminders',
  'jobs.nightly',
]

export const advance = operation({
  ...shared,
  id: 'sandbox.advance',
  kind: 'mutation',
  summary: 'Let time pass in a sandbox',
  description:
    'What happened, and what is to come, moves back by so many seconds: people have waited longer, appointments are nearer, ' +
    'and a new day begins at midnight by the sandbox’s clock. Timers, reminders and nightly work follow within seconds. ' +
    'Opening hours, credentials, the log and whatever runs outside keep the clock of everybody.',
  http: { method: 'POST', path: '/sandbox/advance/' },
  input: Closed({ seconds: Type.Integer({ minimum: 1, maximum: 7 * DAY_SECONDS }) }),
  output: SandboxState,
  example: { input: { seconds: 1800 } },
  async run(ctx, { seconds }) {
    const { tx, tenant } = ctx
    await checkSandbox(ctx)
    const { ahead_seconds } = await tx.one<{ ahead_seconds: number }>(TICK, [seconds])
    const { days } = await tx.one<{ days: number }>(MIDNIGHTS, [tenant.id, ahead_seconds, seconds])
    await tx.query(AFTER_FIGURES)
    await tx.query(ONE_NIGHT)
    await tx.query(NO_UNDO)
    for (const { text, values } of movingStatements(seconds, days)) await tx.query(text, values)
    await tx.query(APPOINTMENT_DAYS)
    await tx.query('select app.hasten_jobs($1)', [seconds])
    for (const watcher of WATCHERS) await ctx.enqueue(watcher, {}, { job_key: `advanced:${watcher}` })
    await tellLive(ctx)
    // Also where nobody waits, what was answered before is no longer so.
    for (const { id } of await tx.query<{ id: number }>('select 0 as id union all select id from sites order by 1'))
      ctx.emit({ type: 'sandbox.advanced', site_id: id, data: { seconds, ahead_seconds } })
    return stateOf(ctx)
  },
})
