\set queue random(:first_queue, :last_queue)
begin;
select set_config('app.current_tenant_id', :tenant::text, true);
select site_id, service_id, number_prefix, (now() at time zone 'Europe/Paris')::date as day from queues where id = :queue \gset
insert into queue_days as c (queue_id, day, issued, issued_before, last_arrival_at) values (:queue, :day::text::date, 1, 0, clock_timestamp()) on conflict (tenant_id, queue_id, day) do update set issued_before = c.issued, issued = c.issued + 1, last_arrival_at = greatest(clock_timestamp(), c.last_arrival_at + interval '16 microseconds') returning issued \gset
insert into tickets as t (site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, rank, token_hash, entered_at, created_at) select :site_id, :queue, :service_id, day, :queue, day, issued, :number_prefix::text || lpad((1 + (issued - 1) % 999)::text, 3, '0'), 'kiosk', (extract(epoch from last_arrival_at) * 1000000)::bigint, uuid_send(gen_random_uuid()), last_arrival_at, last_arrival_at from queue_days where queue_id = :queue and day = :day::text::date returning id \gset
update streams set last_offset = last_offset + 1 where site_id = :site_id returning last_offset \gset
insert into events (site_id, "offset", type, actor, queue_id, ticket_id, data) select :site_id, :last_offset, 'ticket.created', 'bench', :queue, t.id, jsonb_build_object('ticket', bench.ticket(t), 'from', null, 'to', t.status, 'channel', t.channel, 'by', 'admin') from tickets t where t.id = :id;
commit;
