-- expand
-- When what was last measured of a queue happened: what follows lies in the parts of the log that reach beyond it, so that older
-- ones need not be searched every half minute. Null: not known, all parts are.
alter table queue_states add column measured_at timestamptz;
