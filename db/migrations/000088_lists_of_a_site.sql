-- expand
-- The latest tickets of a site or of one of its queues, without reading what all sites of an organisation did since.
create index tickets_by_site_age on tickets (tenant_id, site_id, created_at, id);
