-- expand
-- Alerts of a site's floor that somebody looks after. An alert is named by what it is about, and comes again on another day.
create table alert_acknowledgements (
  tenant_id bigint not null,
  site_id bigint not null,
  alert text not null,
  -- Null for programs.
  user_id bigint,
  at timestamptz not null default now(),
  primary key (tenant_id, site_id, alert),
  foreign key (tenant_id, site_id) references sites (tenant_id, id) on delete cascade
);
call app.isolate('alert_acknowledgements');
