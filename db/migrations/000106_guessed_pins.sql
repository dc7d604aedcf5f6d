-- expand
-- Wrong PINs at a ticket machine in a row, and until when none is looked at.
alter table kiosks add column pin_failures int not null default 0;
alter table kiosks add column pin_locked_until timestamptz;
