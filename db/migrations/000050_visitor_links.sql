-- expand
-- Further secrets that open a ticket's page: who finds the own ticket by number and check letters gets a link of its own,
-- and the first one keeps working. Only hashes are kept.
create table ticket_links (
  tenant_id bigint not null,
  ticket_id bigint not null,
  token_hash bytea not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, token_hash),
  foreign key (tenant_id, ticket_id) references tickets on delete cascade
);
call app.isolate('ticket_links');
create index ticket_links_by_ticket on ticket_links (tenant_id, ticket_id);
