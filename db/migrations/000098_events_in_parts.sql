-- expand
-- The log in parts of half a year, so that a part that nobody keeps any more goes at once (docs/adr/0031). What is there is
-- the first part, untouched. The name stays, and with it all that programs of the version before say.
set local timezone = 'UTC';
alter table events rename to events_beginning;
-- Their names are wanted by those of the whole; these are called as the engine calls those of every other part.
do $$ begin
  alter table events_beginning rename constraint events_pkey to events_beginning_pkey;
  alter index events_across_queues rename to events_beginning_tenant_id_site_id_offset_idx;
  alter index events_by_left_queue rename to events_beginning_tenant_id_from_queue_id_offset_idx;
  alter index events_by_queue rename to events_beginning_tenant_id_queue_id_offset_idx;
  alter index events_by_ticket rename to events_beginning_tenant_id_ticket_id_offset_idx;
  alter index events_of_calls rename to events_beginning_tenant_id_queue_id_offset_idx1;
end $$;

-- No primary key of its own: it would have to hold the time, and every part has its own. That an offset is not given twice is
-- proven by the stream's row, which is locked while it is given.
create table events (like events_beginning including defaults) partition by range (at);
create index events_across_queues on events (tenant_id, site_id, "offset") where agent_id is not null or queue_id is null;
create index events_by_left_queue on events (tenant_id, from_queue_id, "offset") where from_queue_id is not null;
create index events_by_queue on events (tenant_id, queue_id, "offset") where queue_id is not null;
create index events_by_ticket on events (tenant_id, ticket_id, "offset") where ticket_id is not null;
create index events_of_calls on events (tenant_id, queue_id, "offset") where type in ('ticket.called', 'ticket.recalled');
call app.isolate('events');
revoke update, delete on events from sq_app;

-- A part is reached through the whole only; it has a wall of its own all the same.
create procedure app.wall_off_part(part regclass) language plpgsql as $$
begin
  execute format('alter table %s enable row level security', part);
  execute format('alter table %s force row level security', part);
  if not exists (select from pg_policy where polrelid = part and polname = 'tenant_isolation') then
    execute format('create policy tenant_isolation on %s using (tenant_id = (select app.tenant_id())) with check (tenant_id = (select app.tenant_id()))', part);
  end if;
  execute format('revoke all on %s from sq_app', part);
  execute format('grant select on %s to sq_backup', part);
end $$;

do $$ declare ends timestamptz; begin
  select substring(pg_get_constraintdef(oid) from '''([^'']+)''')::timestamptz into ends
    from pg_constraint where conrelid = 'events_beginning'::regclass and conname = 'events_beginning_ends' and convalidated;
  if ends is null and exists (select from streams where last_offset > 0) then
    raise exception 'the log is not known to end: apply 000096 and 000097 again';
  end if;
  execute format('alter table events attach partition events_beginning for values from (minvalue) to (%L)',
    coalesce(ends, app.half_year(now())));
  alter table events_beginning drop constraint if exists events_beginning_ends;
  call app.wall_off_part('events_beginning');
end $$;

-- Whatever finds no part: nothing, as long as parts are made ahead. `smartqueue doctor` says when it is not empty.
create table events_elsewhere (like events including defaults, primary key (tenant_id, site_id, "offset"));
call app.wall_off_part('events_elsewhere');
alter table events attach partition events_elsewhere default;

-- Makes the part of the half year that begins then, unless there is one. Made apart and then attached: readers and writers of the log go on.
-- Rows that found no part, because nobody made any for long, move into it; the owner's own wall, which would hide them, is down meanwhile.
create procedure app.add_events_part(begins timestamptz) language plpgsql set timezone = 'UTC' as $$
declare
  part text := 'events_' || to_char(begins, 'YYYY') || case when extract(month from begins) > 6 then 'h2' else 'h1' end;
  ends timestamptz := begins + interval '6 months';
begin
  if to_regclass(part) is not null then return; end if;
  execute format('create table %I (like events including defaults, primary key (tenant_id, site_id, "offset"))', part);
  lock table events_elsewhere in access exclusive mode;
  alter table events_elsewhere no force row level security;
  execute format('with moved as (delete from events_elsewhere where at >= %L and at < %L returning *) insert into %I select * from moved',
    begins, ends, part);
  alter table events_elsewhere force row level security;
  execute format('alter table %I add constraint bounds check (at >= %L and at < %L)', part, begins, ends);
  call app.wall_off_part(part::regclass);
  execute format('alter table events attach partition %I for values from (%L) to (%L)', part, begins, ends);
  execute format('alter table %I drop constraint bounds', part);
end $$;

-- Parts of the log, the oldest first.
create function app.events_parts() returns table (name text, begins_at timestamptz, ends_at timestamptz) language sql stable security definer
  set search_path = public, pg_temp as $$
  select c.relname::text, coalesce(substring(b.bounds from 'FROM \(''([^'']+)''\)')::timestamptz, '-infinity'),
    substring(b.bounds from 'TO \(''([^'']+)''\)')::timestamptz
  from pg_inherits i join pg_class c on c.oid = i.inhrelid cross join lateral pg_get_expr(c.relpartbound, c.oid) as b(bounds)
  where i.inhparent = 'events'::regclass and b.bounds <> 'DEFAULT' order by 3 $$;

-- Parts from the end of the last one to so many half years ahead. @returns how many were made
create function app.make_events_parts(ahead int) returns int language plpgsql security definer set search_path = public, pg_temp
  set timezone = 'UTC' set lock_timeout = '500ms' as $$
declare
  half timestamptz;
  made int := 0;
begin
  for half in
    select q from generate_series((select max(ends_at) from app.events_parts()),
      app.half_year(now()) + make_interval(months => 6 * least(ahead, 4)), interval '6 months') q
  loop
    call app.add_events_part(half);
    made := made + 1;
  end loop;
  return made;
end $$;
grant execute on function app.events_parts(), app.make_events_parts(int) to sq_app;
select app.make_events_parts(1);
