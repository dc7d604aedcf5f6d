-- expand
-- When what is told happened: it lies in the part of the log that holds that instant, so that an attempt need not look into the
-- others. Null: not known, all parts are searched.
alter table webhook_deliveries add column event_at timestamptz;
