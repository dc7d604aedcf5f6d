-- expand
-- When the last event that was looked at happened: what follows lies in the parts of the log that reach beyond it, so that older
-- ones need not be searched. Null: not known, all parts are.
alter table notification_cursors add column at timestamptz;
alter table search_cursors add column at timestamptz;
alter table site_predictors add column at timestamptz;
