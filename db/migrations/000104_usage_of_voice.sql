-- expand
-- What an organisation keeps of recorded words, for the platform's operators. Tenants' own transactions are refused.
create function app.voice_usage(of_tenant bigint) returns bigint
  language plpgsql security definer set search_path = public, pg_temp as $$
declare kept bigint;
begin
  if app.tenant_id() is not null then raise 'usage is the platform''s' using errcode = '42501'; end if;
  perform set_config('app.current_tenant_id', of_tenant::text, true);
  select coalesce(sum(length(c.bytes)), 0)::bigint into kept from voice_clips c where c.tenant_id = of_tenant;
  perform set_config('app.current_tenant_id', '', true);
  return kept;
end $$;
grant execute on function app.voice_usage to sq_app;
