import { loadModule, parseSync, scanSync } from 'libpg-query'
import { beforeAll, expect, test } from 'vitest'
import { sayWhose } from '../../server/kernel/db/routed/rewrite.ts'
import { unboundTables } from './bound.ts'

const SPREAD = new Set(['tickets', 'queues', 'sites', 'agents'])
const isSpread = (table: string) => SPREAD.has(table)
beforeAll(loadModule)
const treesOf = (text: string) => parseSync(text).stmts!.map(({ stmt }) => stmt as Record<string, unknown>)
const unbound = (text: string) => treesOf(text).flatMap((tree) => unboundTables(tree, isSpread))
const said = (text: string) => sayWhose(text, { trees: treesOf(text), tokens: scanSync(text).tokens }, isSpread)

test.each([
  'select t.id from tickets t join queues q using (tenant_id) where t.tenant_id = $1',
  'select from tickets t join queues q on q.tenant_id = t.tenant_id where 5 = q.tenant_id',
  'with own as (select tenant_id, id from queues where tenant_id = $1) select (select count(*) from tickets t where t.tenant_id = own.tenant_id) from own',
  'insert into tickets (tenant_id, id) values ($1, $2), ($1, $3)',
  'update tickets t set note = $2 from queues q where q.tenant_id = t.tenant_id and t.tenant_id = $1',
  'select from tenants where id = $1',
])('says whose rows it wants: %s', (text) => expect(unbound(text)).toEqual([]))

test.each([
  ['select id from tickets where id = $1', ['tickets']],
  ['select from tickets t join queues q on q.id = t.queue_id where t.tenant_id = $1', ['queues']],
  ['select from tickets where tenant_id = $1 or id = 3', ['tickets']],
  ['select from tickets where tenant_id <> $1', ['tickets']],
  ['select from tickets where tenant_id = app.tenant_id()', ['tickets']],
  ['select from tenants where id in (select tenant_id from tickets)', ['tickets']],
  ['insert into tickets (id) values ($1)', ['tickets']],
  ['with gone as (delete from tickets returning tenant_id) select from gone', ['tickets']],
])('control: is seen not to say so: %s', (text, tables) => expect(unbound(text)).toEqual(tables))

test.each([
  `select t.id from tickets t join queues q on q.id = t.queue_id where t.status = 'appelé' or t.id = $1 order by t.rank limit 1 for update of t skip locked`,
  `with own as (select id from queues where id = $1) select (select count(*) from tickets t where t.queue_id = own.id), 'é' from own left join sites s on s.id = own.id`,
  `insert into tickets (id, place) values ($1, (select max(id) from queues)), (2, 3) on conflict do nothing returning id`,
  `insert into tickets (id, place) select q.id, 2 from queues q union select 1, 2 from sites`,
  `update tickets t set place = (select 1 from agents) from queues q where q.id = t.queue_id returning t.id`,
  `delete from tickets t using queues q`,
  `select percentile_disc(0.5) within group (order by x) from tickets`,
  `select from (select id from queues) tickets, lateral (select from sites s where s.id = tickets.id) x`,
])('is said: %s', (text) => {
  expect(unbound(text)).not.toEqual([])
  expect(unbound(said(text))).toEqual([])
})

test('in words', () => {
  expect(said('select from tickets t left join queues on true where a or $2')).toBe(
    'select from tickets t left join (select * from queues where tenant_id = $3::bigint) queues on true where t.tenant_id = $3::bigint and ( a or $2)',
  )
  expect(said('select from tenants')).toBe('select from tenants')
})
