-- expand
-- Months of sites, added up from their days: what managers ask of a year is read in a twelfth of the rows. A month that has
-- none is read by its days.
alter table tenant_metrics drop constraint tenant_metrics_dimension_check;
alter table tenant_metrics add constraint tenant_metrics_dimension_check
  check (dimension in ('all', 'hour', 'channel', 'booked', 'site', 'site_month'));
