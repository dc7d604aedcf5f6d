import Type from 'typebox'
import { conflict } from '../../../kernel/errors.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Id, Nullable, Text, Time } from '../../../kernel/schema.ts'
import { TAKEN_TWICE } from '../book.ts'
import { lockAppointment } from '../change.ts'
import { lockSite } from '../place.ts'
import { cancelAppointment, rescheduleAppointment } from '../verbs.ts'

/** What was done in a calendar is done here, as staff do it. */
export const applyChange = operation({
  id: 'calendars.apply',
  kind: 'mutation',
  summary: 'Move or cancel an appointment as its calendar says',
  description: 'Nothing happens (`applied: false`) where the appointment has changed since the calendar was last told.',
  scope: 'write:ticket',
  roles: ['system'],
  http: { method: 'POST', path: '/calendars/{id}/apply/' },
  input: Closed({
    id: Id,
    appointment_id: Id,
    /** As the calendar was last told. */
    sequence: Type.Integer(),
    /** Null when the event was deleted. */
    start_at: Nullable(Time),
    /** Of the event as it is now, empty when it was deleted. */
    etag: Text(500),
  }),
  output: Closed({ applied: Type.Boolean() }),
  example: { input: { id: 1, appointment_id: 1, sequence: 0, start_at: '2026-12-02T08:30:00Z', etag: '"1"' } },
  constraints: TAKEN_TWICE,
  async run(ctx, { id, appointment_id, sequence, start_at, etag }) {
    const { agent_id } = await ctx.tx.one<{ agent_id: number | null }>(
      `select l.agent_id from calendar_links l join calendar_entries e on e.link_id = l.id
       where l.id = $1 and e.appointment_id = $2`,
      [id, appointment_id],
    )
    const found = await ctx.tx.one<{ site_id: number }>('select site_id from appointments where id = $1', [
      appointment_id,
    ])
    await lockSite(ctx, found.site_id)
    if ((await lockAppointment(ctx.tx, appointment_id)).sequence !== sequence) return { applied: false }
    if (start_at === null) await cancelAppointment(ctx, appointment_id, 'staff', 'deleted_in_calendar')
    else {
      const moved = await rescheduleAppointment(ctx, appointment_id, start_at, 'staff')
      // A colleague's free hour is none of this calendar's.
      if (agent_id !== null && moved.agent_id !== agent_id) throw conflict('slot_taken')
    }
    await ctx.tx.query('update calendar_entries set etag = $3 where link_id = $1 and appointment_id = $2', [
      id,
      appointment_id,
      etag,
    ])
    return { applied: true }
  },
})
