/**
 * A row of `tickets t` as the wire shape, in `select` or `returning`. Position and estimates are figures of the queue,
 * not of the row: they are filled in afterwards (see `ticketFigures`).
 */
export const TICKET_COLUMNS = `
  t.id, t.site_id, t.queue_id, t.service_id, t.number, t.channel, t.priority, t.status, t.rank, t.customer_id, t.agent_id,
  t.counter_id, (select c.name from counters c where c.tenant_id = t.tenant_id and c.id = t.counter_id) as counter_name,
  t.language, t.labels, t.needs, t.note, t.fields, t.outcome, t.call_count, t.created_at, t.entered_at, t.called_at,
  t.started_at, t.held_at, t.ended_at, t.not_before, t.leg,
  null::int as eta_seconds, null::int as eta_low_seconds, null::int as eta_high_seconds, null::int as position`
