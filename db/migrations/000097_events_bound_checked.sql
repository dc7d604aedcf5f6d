-- expand
do $$ begin
  if exists (select from pg_constraint where conrelid = 'events'::regclass and conname = 'events_beginning_ends') then
    alter table events validate constraint events_beginning_ends;
  end if;
end $$;
