import { expect, test } from 'vitest'
import { breaksOf, migrationViolations } from './migration-rules.ts'

test.each([
  'alter table tickets drop column note',
  'alter table tickets rename column note to remark',
  'alter table tickets rename note to remark',
  'alter table tickets rename to visits',
  'drop table tickets',
  'drop function app.tenant_id()',
  'alter table tickets alter column note type varchar(10)',
  'alter table tickets alter note set data type text',
  'alter table tickets alter column agent_id set not null',
  'alter table tickets add column place integer not null',
  'alter table tickets add place integer not null, add other text',
  'alter table tickets alter column note drop default',
  'revoke update on tickets from sq_app',
])('breaks the version before: %s', (sql) => {
  expect(breaksOf(`-- expand\n${sql};`)).toHaveLength(1)
})

test.each([
  'alter table tickets add column place integer',
  `alter table tickets add column place integer not null default 0`,
  'create table notes (tenant_id bigint not null, id bigint not null); alter table notes alter column id set not null',
  'create index notes_by_age on tickets (tenant_id, created_at)',
  'alter table tickets add constraint named check (priority >= 0) not valid',
  'create function app.f() returns void language plpgsql as $$ begin drop table tickets; end $$',
  `comment on table tickets is 'drop table tickets'`,
])('goes beside it: %s', (sql) => {
  expect(breaksOf(`-- expand\n${sql};`)).toEqual([])
})

test('only migrations called expand are held to it, from the first release on', () => {
  const sql = 'drop table tickets;'
  const judge = (file: string, kind: string) => migrationViolations([file], () => `-- ${kind}\n${sql}`)
  expect(judge('db/migrations/000500_next.sql', 'expand')).toHaveLength(1)
  expect(judge('db/migrations/000500_next.sql', 'contract')).toEqual([])
  expect(judge('db/migrations/000005_tickets.sql', 'expand')).toEqual([])
  expect(judge('docs/deployment.md', 'expand')).toEqual([])
})
