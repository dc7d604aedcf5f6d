-- expand
-- Recorded clips that displays speak with. Small and few: a whole pack has a thousand of some ten kilobytes.
create table voice_clips (
  tenant_id bigint not null references tenants,
  language text not null check (language in ('fr', 'en', 'ar')),
  word text not null check (word ~ '^(ticket|counter|[A-Z]|\d{1,7})$'),
  type text not null check (type in ('audio/wav', 'audio/mpeg', 'audio/ogg')),
  sha256 bytea not null check (length(sha256) = 32),
  bytes bytea not null check (length(bytes) <= 50000),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, language, word)
);
call app.isolate('voice_clips');
-- Displays ask by content.
create index voice_clips_by_content on voice_clips (tenant_id, sha256);
