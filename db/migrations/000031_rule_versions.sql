-- expand
-- The rules that count: a published version is never changed. `queue_rules` is the draft.
create table queue_rule_versions (
  tenant_id bigint not null,
  queue_id bigint not null,
  version integer not null check (version > 0),
  -- [{id, name, position, condition, effect}], in order, the active ones only.
  rules jsonb not null,
  note text not null default '',
  published_by text not null,
  published_at timestamptz not null default now(),
  primary key (tenant_id, queue_id, version),
  foreign key (tenant_id, queue_id) references queues on delete cascade
);
call app.isolate('queue_rule_versions');
revoke update on queue_rule_versions from sq_app;

alter table tickets
  -- Rules that took effect on it, in order.
  add column rule_ids bigint[] not null default '{}',
  -- The class it was given by people; rules may have raised it since.
  add column asked_priority smallint check (asked_priority between 0 and 9);
