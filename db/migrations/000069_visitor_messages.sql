-- expand
-- Visitors write on their ticket's page, and read there what the counter answers.
alter table messages drop constraint messages_channel_check,
  add constraint messages_channel_check check (channel in ('sms', 'whatsapp', 'email', 'push', 'page'));

-- Two equal texts to one number are two: what a provider says it took belongs to one message alone.
create unique index messages_handed_over on messages (tenant_id, provider, provider_id)
  where direction = 'out' and provider_id is not null;

-- When a visit was rated; those before have no date and are counted only.
alter table tickets add column rated_at timestamptz;
create index tickets_by_rating on tickets (tenant_id, rated_at, id) where rated_at is not null;
