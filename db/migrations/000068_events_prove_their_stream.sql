-- contract
-- The statement that appends events holds the row of their stream, so the key looked for a row that is certainly there,
-- once for every event. Nobody deletes a stream; now nobody may (docs/adr/0022).
alter table events drop constraint events_tenant_id_site_id_fkey;
revoke delete on streams from sq_app;
