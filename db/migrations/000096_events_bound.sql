-- expand
-- What is in the log becomes the first part of a log in parts (docs/adr/0031). A part must be known to hold nothing beyond its end: said here,
-- looked through by the next file without keeping writers out, so that attaching it needs no look. Two months are left for the files in between.
set local timezone = 'UTC';
create function app.half_year(at timestamptz) returns timestamptz language sql stable set timezone = 'UTC'
  as $$ select date_trunc('year', at) + case when extract(month from at) > 6 then interval '6 months' else interval '0' end $$;
do $$ begin
  if exists (select from streams where last_offset > 0) then
    execute format('alter table events add constraint events_beginning_ends check (at < %L) not valid',
      app.half_year(now() + interval '62 days') + interval '6 months');
  end if;
end $$;
