/** Four weeks of a branch, by SQL: every tenth leaves, every tenth does not come, waits follow the hour, two of three are told a range. */
export const MONTH = `
  with own as (
    select q.tenant_id, q.site_id, q.id as queue_id, q.service_id, row_number() over (order by q.id) as line from queues q),
  drawn as (
    select own.*, n, d, ((current_date - d)::timestamp + make_interval(hours => 9 + (n * 7) % 8, mins => (n * 13) % 60)) at time zone 'Europe/Paris' as came,
      60 + ((n * 37 + d * 11) % 40) * 30 * (1 + abs(4 - (n * 7) % 8) % 3) as wait, 120 + (n * 53 + d) % 600 as service, (n + d) % 10 as luck
    from own cross join generate_series(2, 29) d cross join lateral generate_series(1, 6 + (d % 5) + (own.line * 2)::int) n),
  put as (
    insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, status, rank,
      entered_at, created_at, called_at, started_at, ended_at, agent_id, counter_id, rating, rated_at)
    select tenant_id, site_id, queue_id, service_id, current_date - d, queue_id, current_date - d, n, 'A' || n,
      (array['kiosk', 'web', 'reception'])[1 + n % 3], case luck when 0 then 'annulé' when 1 then 'absent' else 'terminé' end, n, came, came,
      case when luck > 0 then came + make_interval(secs => wait) end,
      case when luck > 1 then came + make_interval(secs => wait + 20) end,
      came + make_interval(secs => case luck when 0 then 300 when 1 then wait + 60 else wait + 20 + service end),
      case when luck > 0 then (select min(a.id) + n % 2 from agents a) end, case when luck > 0 then (select min(c.id) + (n + d) % 2 from counters c) end,
      case when luck > 5 then 1 + n % 5 end,
      case when luck > 5 then came + interval '2 hours' end
    from drawn returning *),
  told as (
    insert into ticket_estimates (tenant_id, ticket_id, queue_id, at, low_seconds, median_seconds, high_seconds)
    select tenant_id, id, queue_id, entered_at + interval '1 second', 240 + serial % 7 * 60, 480 + serial % 7 * 120, 900 + serial % 9 * 240
    from put where serial % 3 > 0)
  insert into ticket_legs (tenant_id, ticket_id, leg, queue_id, agent_id, counter_id, entered_at, called_at, started_at, ended_at, ended_by)
  select tenant_id, id, 1, queue_id, agent_id, counter_id, entered_at, called_at, started_at, ended_at, status from put`

/** How the agents of those weeks spent their days: at the counter, at lunch, at the counter again. */
export const SHIFTS = `
  with turns as (
    select a.tenant_id, a.site_id, a.id, a.name, v.status,
      ((current_date - d)::timestamp + v.clock + make_interval(mins => (a.id % 3)::int * 7 * v.late)) at time zone 'Europe/Paris' as at
    from agents a cross join generate_series(2, 29) d cross join (values
      ('available', time '09:00', 0), ('serving', '09:20', 1), ('available', '12:00', 0), ('break', '12:30', 0), ('calling', '13:30', 1),
      ('serving', '13:35', 1), ('wrap_up', '16:00', 0), ('offline', '16:30', 1)) v(status, clock, late)),
  numbered as (select *, row_number() over (partition by site_id order by at, id) as n from turns),
  put as (
    insert into events (tenant_id, site_id, "offset", type, at, actor, agent_id, data)
    select n.tenant_id, n.site_id, s.last_offset + n.n, 'agent.status_changed', n.at, 'system', n.id,
      jsonb_build_object('agent', jsonb_build_object('id', n.id, 'name', n.name, 'site_id', n.site_id, 'status', n.status, 'counter_id', null,
        'counter_name', null, 'queue_ids', '[]'::jsonb))
    from numbered n join streams s on s.tenant_id = n.tenant_id and s.site_id = n.site_id)
  update streams s set last_offset = s.last_offset + m.n
  from (select tenant_id, site_id, max(n) as n from numbered group by 1, 2) m where m.tenant_id = s.tenant_id and m.site_id = s.site_id`

/** Hours that people are planned for, Monday to Sunday; the last one from noon. */
export const PLANS = `
  insert into agent_hours (tenant_id, agent_id, hours)
  select tenant_id, id, jsonb_build_object('weekly', (
    select jsonb_object_agg(day::text, case when id % 2 = 0 then '[["09:00","12:30"],["14:00","17:00"]]'::jsonb else '[["12:00","18:00"]]'::jsonb end)
    from generate_series(1, 7) day))
  from agents`
