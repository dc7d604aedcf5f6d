-- expand
-- Organisations to try things in: test keys may do there what others may in the rest.
alter table tenants add column is_sandbox boolean not null default false;
