-- expand
-- What staff has a screen say over everything else: an evacuation, a failure. Null when there is nothing.
alter table displays add column alert jsonb;
