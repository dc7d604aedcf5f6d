/** Four weeks of a branch, by SQL: every tenth leaves, every tenth does not come, waits follow the hour. */
export const MONTH = `
  with own as (
    select q.tenant_id, q.site_id, q.id as queue_id, q.service_id, row_number() over (order by q.id) as line from queues q),
  drawn as (
    select own.*, n, d, ((current_date - d)::timestamp + make_interval(hours => 9 + (n * 7) % 8, mins => (n * 13) % 60)) at time zone 'Europe/Paris' as came,
      60 + ((n * 37 + d * 11) % 40) * 30 * (1 + abs(4 - (n * 7) % 8) % 3) as wait, 120 + (n * 53 + d) % 600 as service, (n + d) % 10 as luck
    from own cross join generate_series(2, 29) d cross join lateral generate_series(1, 6 + (d % 5) + (own.line * 2)::int) n),
  put as (
    insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, status, rank,
      entered_at, created_at, called_at, started_at, ended_at, agent_id, rating, rated_at)
    select tenant_id, site_id, queue_id, service_id, current_date - d, queue_id, current_date - d, n, 'A' || n,
      (array['kiosk', 'web', 'reception'])[1 + n % 3], case luck when 0 then 'annulé' when 1 then 'absent' else 'terminé' end, n, came, came,
      case when luck > 0 then came + make_interval(secs => wait) end,
      case when luck > 1 then came + make_interval(secs => wait + 20) end,
      came + make_interval(secs => case luck when 0 then 300 when 1 then wait + 60 else wait + 20 + service end),
      case when luck > 0 then (select min(a.id) + n % 2 from agents a) end, case when luck > 5 then 1 + n % 5 end,
      case when luck > 5 then came + interval '2 hours' end
    from drawn returning *)
  insert into ticket_legs (tenant_id, ticket_id, leg, queue_id, agent_id, entered_at, called_at, started_at, ended_at, ended_by)
  select tenant_id, id, 1, queue_id, agent_id, entered_at, called_at, started_at, ended_at, status from put`
