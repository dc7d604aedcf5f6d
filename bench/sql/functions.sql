-- The yardstick: what one take and one call-next must do at the least, each as one function call in one transaction.
-- Numbers, order of service and offsets have the product's guarantees; guards, idempotency and estimates are left out.

create function bench.ticket(t tickets) returns jsonb language sql stable
  return jsonb_build_object('id', t.id, 'site_id', t.site_id, 'queue_id', t.queue_id, 'service_id', t.service_id,
    'number', t.number, 'channel', t.channel, 'priority', t.priority, 'status', t.status, 'rank', t.rank,
    'customer_id', t.customer_id, 'agent_id', t.agent_id, 'counter_id', t.counter_id, 'language', t.language,
    'labels', t.labels, 'needs', t.needs, 'call_count', t.call_count, 'created_at', t.created_at,
    'called_at', t.called_at, 'started_at', t.started_at, 'ended_at', t.ended_at, 'not_before', t.not_before);

create function bench.take(tenant bigint, queue bigint) returns text language plpgsql as $$
declare
  q record;
  d record;
  t tickets;
begin
  perform set_config('app.current_tenant_id', tenant::text, true);
  select site_id, service_id, number_prefix, (now() at time zone 'Europe/Paris')::date as day into q from queues where id = queue;
  insert into queue_days as c (queue_id, day, issued, issued_before, last_arrival_at)
    values (queue, q.day, 1, 0, clock_timestamp())
    on conflict (tenant_id, queue_id, day) do update set issued_before = c.issued, issued = c.issued + 1,
      last_arrival_at = greatest(clock_timestamp(), c.last_arrival_at + interval '16 microseconds')
    returning issued, last_arrival_at into d;
  insert into tickets (site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, rank, token_hash,
      entered_at, created_at)
    values (q.site_id, queue, q.service_id, q.day, queue, q.day, d.issued,
      q.number_prefix || lpad((1 + (d.issued - 1) % 999)::text, 3, '0'), 'kiosk',
      (extract(epoch from d.last_arrival_at) * 1000000)::bigint, uuid_send(gen_random_uuid()), d.last_arrival_at, d.last_arrival_at)
    returning * into t;
  with head as (
    update streams set last_offset = last_offset + 1 where site_id = q.site_id returning last_offset, clock_timestamp() as at)
  insert into events (site_id, "offset", type, at, actor, queue_id, ticket_id, data)
    select q.site_id, last_offset, 'ticket.created', at, 'bench', queue, t.id,
      jsonb_build_object('ticket', bench.ticket(t), 'from', null, 'to', t.status, 'channel', t.channel, 'by', 'admin')
    from head;
  return t.number;
end $$;

create function bench.call_next(tenant bigint, agent bigint) returns text language plpgsql as $$
declare
  a record;
  t tickets;
begin
  perform set_config('app.current_tenant_id', tenant::text, true);
  update agents set status = 'calling', status_since = clock_timestamp()
    where id = agent and status = 'available' returning site_id, counter_id into strict a;
  update tickets set status = 'appelé', agent_id = agent, counter_id = a.counter_id, call_count = call_count + 1,
      called_at = clock_timestamp(), last_called_at = clock_timestamp()
    where id = (
      select w.id from agent_queues g, lateral (
        select id, rank from tickets where queue_id = g.queue_id and status = 'en_attente' order by rank, id limit 1
        for update skip locked) w
      where g.agent_id = agent order by w.rank, w.id limit 1)
    returning * into t;
  if t.id is null then
    return null;
  end if;
  with head as (
    update streams set last_offset = last_offset + 1 where site_id = a.site_id returning last_offset, clock_timestamp() as at)
  insert into events (site_id, "offset", type, at, actor, queue_id, ticket_id, agent_id, data)
    select a.site_id, last_offset, 'ticket.called', at, 'bench', t.queue_id, t.id, agent,
      jsonb_build_object('ticket', bench.ticket(t), 'from', 'en_attente', 'to', t.status, 'channel', t.channel, 'by', 'admin')
    from head;
  return t.number;
end $$;

create function bench.list(tenant bigint, queue bigint) returns setof jsonb language plpgsql as $$
begin
  perform set_config('app.current_tenant_id', tenant::text, true);
  return query select bench.ticket(t) || jsonb_build_object('position', row_number() over (order by t.rank, t.id))
    from tickets t where t.queue_id = queue and t.status = 'en_attente' order by t.rank, t.id limit 50;
end $$;

create function bench.place(tenant bigint, ticket bigint) returns bigint language plpgsql as $$
begin
  perform set_config('app.current_tenant_id', tenant::text, true);
  return (select count(*) from tickets t, tickets mine where mine.id = ticket and t.queue_id = mine.queue_id
    and t.status = 'en_attente' and (t.rank, t.id) <= (mine.rank, mine.id));
end $$;

grant execute on all functions in schema bench to sq_app;
