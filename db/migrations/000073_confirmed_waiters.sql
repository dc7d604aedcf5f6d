-- expand
-- Who asks by an e-mail address waits only once the link that was sent there has been opened and pressed: whoever makes
-- addresses up holds nobody's place. Of a request that nobody confirms nothing comes.
alter table appointment_waiters drop constraint appointment_waiters_status_check;
alter table appointment_waiters add constraint appointment_waiters_status_check
  check (status in ('unconfirmed', 'waiting', 'offered', 'left', 'over', 'expired'));
-- Of the link that was sent last.
alter table appointment_waiters add column confirm_hash bytea;
create unique index appointment_waiters_by_confirm_link on appointment_waiters (tenant_id, confirm_hash) where confirm_hash is not null;
create index appointment_waiters_unconfirmed on appointment_waiters (tenant_id, customer_id, created_at) where status = 'unconfirmed';

-- Days after which messages are forgotten; null = with the rest, after data_retention_days.
alter table tenants add column message_retention_days integer check (message_retention_days between 1 and 36500);
