import { expect, test } from 'vitest'
import { testDatabase } from '../../test/harness.ts'
import { databaseError } from './index.ts'

/**
 * Tables that belong to no tenant, or that are read before the tenant is known, with the reason. Every other table must
 * be isolated: extend this list only for a table whose rows any tenant may see, or that no tenant's request can ask for.
 */
const OUTSIDE_THE_WALLS: Record<string, string> = {
  schema_migrations: 'the application has no right to it',
  tenants: 'the directory of tenants itself',
  users: 'people may work for several tenants; memberships are inside the walls',
  sessions: 'found by a secret token before the tenant is known',
  device_pairings: 'machines that belong to nobody yet, found by a secret code that lives ten minutes',
  used_tokens: 'identifiers of used one-time tokens, found by a signed token',
  passkeys: 'of a person, found by their id before anybody is signed in',
  code_generators: 'of a person, asked for while they sign in',
  recovery_codes: 'of a person, asked for while they sign in',
  platform_idempotency_keys: 'answers of requests outside tenants',
  platform_notices: 'what the platform tells everybody',
  backup_runs: 'of the installation as a whole',
  platform_switches: 'what the platform has closed for everybody',
  job_workers: 'processes of this installation; the application has no right to it',
  outbox_messages: 'to people of any tenant or none; operators alone read them',
}

const { owner } = await testDatabase()
const outside = Object.keys(OUTSIDE_THE_WALLS)

/** Parts of the statements below: our schemas, our tables, those inside the walls. */
const OURS = `n.nspname in ('app', 'public')`
const TABLES = `pg_class c join pg_namespace n on n.oid = c.relnamespace and ${OURS} and c.relkind in ('r', 'p')`
const INSIDE = `${TABLES} and c.relname <> all ('{${outside.join()}}')`
const column = (table: string, number: string) =>
  `(select attname from pg_attribute where attrelid = ${table} and attnum = ${number})`

/** Each statement finds the objects that break the rule. */
const RULES: Record<string, string> = {
  'row security is enabled and forced': `
    select c.relname as name from ${INSIDE} where not (c.relrowsecurity and c.relforcerowsecurity)`,
  'the policy compares tenant_id, for reading and for writing': `
    select c.relname as name from ${INSIDE} where not exists (
      select from pg_policy p where p.polrelid = c.oid and p.polcmd = '*' and p.polpermissive and p.polroles = '{0}'
        and pg_get_expr(p.polqual, c.oid) = '(tenant_id = ( SELECT app.tenant_id() AS tenant_id))'
        and pg_get_expr(p.polwithcheck, c.oid) = pg_get_expr(p.polqual, c.oid))`,
  'no other policy widens it, except for sq_owner to read': `
    select format('%s.%s', c.relname, p.polname) as name from pg_policy p join ${TABLES} on c.oid = p.polrelid
    where p.polname <> 'tenant_isolation' and p.polpermissive
      and not (p.polroles = array['sq_owner'::regrole::oid] and p.polcmd = 'r')`,
  'tenant_id is a bigint that cannot be null': `
    select c.relname as name from ${INSIDE} where not exists (
      select from pg_attribute where attrelid = c.oid and attname = 'tenant_id' and attnotnull and atttypid = 'bigint'::regtype)`,
  'primary keys, unique constraints and indexes begin with tenant_id': `
    select i.indexrelid::regclass::text as name from pg_index i join ${INSIDE} on c.oid = i.indrelid
      join pg_class x on x.oid = i.indexrelid join pg_am on pg_am.oid = x.relam
    where ${column('c.oid', 'i.indkey[0]')} is distinct from 'tenant_id' and (i.indisunique or amname = 'btree')`,
  'every table has a primary key': `
    select c.relname as name from ${TABLES} and c.relkind = 'r' where not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p')`,
  'parts of a table are reached through it': `
    select c.relname as name from ${TABLES} and c.relispartition where has_table_privilege('sq_app', c.oid, 'select, insert, update, delete')`,
  'references to a tenant table carry tenant_id': `
    select k.conname as name from pg_constraint k join ${INSIDE} on c.oid = k.confrelid
    where k.contype = 'f' and (${column('k.conrelid', 'k.conkey[1]')} is distinct from 'tenant_id'
      or ${column('k.confrelid', 'k.confkey[1]')} is distinct from 'tenant_id')`,
  'exclusion constraints compare tenant_id': `
    select k.conname as name from pg_constraint k join ${INSIDE} on c.oid = k.conrelid
    where k.contype = 'x' and not exists (
      select from pg_attribute where attrelid = c.oid and attname = 'tenant_id' and attnum = any (k.conkey))`,
  'no enum types: their comparison is not leakproof': `
    select t.typname as name from pg_type t join pg_namespace n on n.oid = t.typnamespace and ${OURS}
    where t.typtype = 'e'`,
  'views run with the rights of whoever asks': `
    select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace and ${OURS}
    where c.relkind = 'v' and not coalesce('security_invoker=true' = any (c.reloptions), false)`,
  'no materialized view is granted to the application': `
    select c.relname as name from pg_class c where c.relkind = 'm'
      and has_table_privilege('sq_app', c.oid, 'select')`,
  'functions with the rights of their owner fix their search_path, pg_temp last': `
    select p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace and ${OURS}
    where p.prosecdef
      and not exists (select from unnest(p.proconfig) s where s ~ '^search_path=.*pg_temp$')`,
  'no function is for everybody': `
    select p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace and ${OURS}
    cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0
      -- Those of an extension compare and sort; they read nothing.
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')`,
  'sq_app owns nothing': `
    select objid::text as name from pg_shdepend
    where refclassid = 'pg_authid'::regclass and refobjid = 'sq_app'::regrole and deptype = 'o'`,
  'sq_app may neither truncate, nor add references or triggers': `
    select c.relname as name from ${TABLES} where has_table_privilege('sq_app', c.oid, 'truncate, references, trigger')`,
  'nothing is granted to everybody': `
    select c.relname as name from ${TABLES}, aclexplode(c.relacl) a where a.grantee = 0`,
  'sq_backup may only read': `
    select c.relname as name from ${TABLES} where has_table_privilege('sq_backup', c.oid, 'insert, update, delete, truncate')`,
  'the roles nobody logs in as, and sq_app goes through the walls': `
    select rolname as name from pg_roles where rolname in ('sq_app', 'sq_owner', 'sq_backup')
      and (rolcanlogin or rolsuper or rolcreaterole or rolcreatedb or (rolbypassrls and rolname <> 'sq_backup'))`,
  'sq_app is a member of no other role': `
    select roleid::regrole::text as name from pg_auth_members where member = 'sq_app'::regrole`,
}

async function violations(): Promise<string[]> {
  const found: string[] = []
  for (const [rule, sql] of Object.entries(RULES))
    for (const { name } of await owner<{ name: string }>(sql)) found.push(`${rule}: ${name}`)
  return found
}

test('the catalog breaks no rule', async () => {
  expect(await violations()).toEqual([])
})

test('the list of tables outside the walls is not longer than it must be', async () => {
  const tables = await owner<{ name: string }>(`select c.relname as name from ${TABLES} where not c.relrowsecurity`)
  expect(tables.map(({ name }) => name).toSorted()).toEqual(outside.toSorted())
})

const PLANTED: Record<string, string> = {
  'row security is enabled and forced: p': `create table p (tenant_id bigint not null, id int, primary key (tenant_id, id));
    call app.isolate('p'); alter table p no force row level security`,
  'the policy compares tenant_id, for reading and for writing: p': `
    create table p (tenant_id bigint not null, id int, primary key (tenant_id, id)); call app.isolate('p');
    drop policy tenant_isolation on p; create policy tenant_isolation on p using (tenant_id = (select app.tenant_id()))
      with check (true)`,
  'no other policy widens it, except for sq_owner to read: sites.peek':
    'create policy peek on sites for select using (true)',
  'tenant_id is a bigint that cannot be null: p': `create table p (id int primary key, tenant_id bigint);
    call app.isolate('p')`,
  'primary keys, unique constraints and indexes begin with tenant_id: p_pkey': `
    create table p (tenant_id bigint not null, id int primary key); call app.isolate('p')`,
  'primary keys, unique constraints and indexes begin with tenant_id: sites_by_name':
    'create index sites_by_name on sites (name)',
  'every table has a primary key: p': `create table p (tenant_id bigint not null); call app.isolate('p')`,
  'row security is enabled and forced: events_elsewhere': 'alter table events_elsewhere no force row level security',
  'parts of a table are reached through it: events_elsewhere': 'grant select on events_elsewhere to sq_app',
  'references to a tenant table carry tenant_id: p_site_fkey': `alter table sites add constraint sites_id unique (id);
    create table p (tenant_id bigint not null, site bigint references sites (id), primary key (tenant_id, site));
    call app.isolate('p')`,
  'no enum types: their comparison is not leakproof: mood': `create type mood as enum ('good')`,
  'views run with the rights of whoever asks: v': 'create view v as select * from sites',
  'no materialized view is granted to the application: m':
    'create materialized view m as select * from sites; grant select on m to sq_app',
  'functions with the rights of their owner fix their search_path, pg_temp last: f': `
    create function f() returns bigint language sql security definer as 'select count(*) from sites'`,
  'no function is for everybody: f': `create function f() returns int language sql as 'select 1'`,
  'sq_app may neither truncate, nor add references or triggers: sites': 'grant truncate on sites to sq_app',
  'nothing is granted to everybody: sites': 'grant select on sites to public',
  'sq_backup may only read: sites': 'grant update on sites to sq_backup',
}

test.each(Object.entries(PLANTED))('a planted fault is found: %s', async (expected, sql) => {
  await owner('begin')
  try {
    await owner(sql)
    expect(await violations()).toContain(expected)
  } finally {
    await owner('rollback')
  }
})

/** A table inside the walls, and what a row of it needs. */
interface Table {
  name: string
  /** Columns without a default, apart from tenant_id, and a value of their type. */
  columns: string
  values: string
  /** Null for one in parts, of which each has its own. */
  key: string | null
}

/**
 * One row of tenant 1 and one of tenant 2 in every isolated table. References and checks are dropped first: they are
 * not what is tried here, and any values then do.
 */
async function filledTables(): Promise<Table[]> {
  await owner(`do $$ declare k record; begin
    for k in select conrelid::regclass as t, conname from pg_constraint c join pg_class on pg_class.oid = conrelid
      where relrowsecurity and contype in ('f', 'c') and relnamespace = 'public'::regnamespace
    loop execute format('alter table %s drop constraint %I', k.t, k.conname); end loop; end $$`)
  const tables = await owner<Table>(
    `
    select c.relname as name,
      coalesce(string_agg(quote_ident(attname), ', ' order by attnum) filter (where needed), '') as columns,
      coalesce(string_agg(case format_type(atttypid, null)
        when 'text' then '''x''' when 'jsonb' then '''{}''' when 'json' then '''{}''' when 'date' then 'current_date'
        when 'timestamp with time zone' then 'now()' when 'boolean' then 'true' when 'bytea' then '''\\x00'''
        when 'uuid' then 'gen_random_uuid()' when 'text[]' then '''{}''' when 'bigint[]' then '''{}''' when 'integer[]' then '''{}''' else '1' end,
        ', ' order by attnum) filter (where needed), '') as values,
      (select string_agg(quote_ident(a.attname), ', ') from pg_index join pg_attribute a on a.attrelid = indrelid and a.attnum = any (indkey)
       where indrelid = c.oid and indisprimary) as key
    from ${INSIDE} and not c.relispartition join pg_attribute on attrelid = c.oid and attnum > 0 and not attisdropped
      cross join lateral (select attnotnull and not atthasdef and attidentity = '' and attname <> 'tenant_id' as needed) x
    group by c.oid, c.relname order by c.relname`,
  )
  await owner('set session_replication_role = replica')
  for (const { name, columns, values } of tables) {
    const also = columns && `, ${columns}`
    for (const tenant of [1, 2])
      await owner(`insert into ${name} (tenant_id${also}) values (${tenant}${values && `, ${values}`})
        on conflict do nothing`)
  }
  await owner('reset session_replication_role')
  return tables
}

/** Every way in which a session of another setting reads or changes tenant 2's rows of `tables`; and how many were tried. */
async function crossings(tables: readonly Table[]): Promise<{ problems: string[]; tried: number }> {
  const problems: string[] = []
  let tried = 0
  const [{ version }] = (await owner(`select current_setting('server_version_num')::int as version`)) as [
    { version: number },
  ]
  const attempt = async (sql: string, setting: string | undefined) => {
    await owner('begin; set local role sq_app')
    if (setting !== undefined) await owner(`select set_config('app.current_tenant_id', $1, true)`, [setting])
    const answer = await owner(sql).catch((error: unknown) => databaseError(error)?.code)
    await owner('rollback')
    return answer
  }
  for (const { name, columns, values, key } of tables) {
    const row = `(tenant_id${columns && `, ${columns}`}) values (2${values && `, ${values}`})`
    const verbs: Record<string, string> = {
      select: `select * from ${name} where tenant_id = 2`,
      insert: `insert into ${name} ${row} returning 1`,
      upsert: `insert into ${name} ${row} on conflict (${key}) do update set tenant_id = excluded.tenant_id returning 1`,
      update: `update ${name} set tenant_id = tenant_id where tenant_id = 2 returning 1`,
      capture: `update ${name} set tenant_id = 1 where tenant_id = 2 returning 1`,
      delete: `delete from ${name} where tenant_id = 2 returning 1`,
      merge: `merge into ${name} t using (select 2 as id) s on t.tenant_id = s.id when matched then delete returning 1`,
      lock: `select 1 from ${name} where tenant_id = 2 for update`,
      truncate: `truncate ${name}`,
    }
    if (key === null) delete verbs.upsert
    // MERGE cannot tell what it did before PostgreSQL 17.
    if (version < 170000) delete verbs.merge
    for (const setting of [undefined, '', '1', 'garbage', '1 or true'])
      for (const [verb, sql] of Object.entries(verbs)) {
        tried++
        const answer = await attempt(sql, setting)
        // Refused by the wall (42501) or by the setting (22P02), and by no mere accident such as a duplicate key; or
        // nothing found.
        const harmless = Array.isArray(answer)
          ? answer.length === 0 && !['insert', 'upsert', 'truncate'].includes(verb)
          : answer === '42501' || answer === '22P02'
        if (!harmless) problems.push(`${verb} ${name} as ${JSON.stringify(setting)}`)
      }
    // Its own row is there: what was not seen above was there to be seen.
    if ((await attempt(`select * from ${name}`, '2'))?.length !== 1) problems.push(`${name} hides its own row`)
  }
  return { problems, tried }
}

test('no verb reaches another tenant, whatever the setting holds', async () => {
  const tables = await filledTables()
  const contents = () =>
    Promise.all(
      tables.map(({ name }) =>
        owner(`select count(*) as n, md5(string_agg(t::text, '|' order by t::text)) from ${name} t`),
      ),
    )
  const before = await contents()
  expect(before.every(([row]) => row!.n === 2)).toBe(true)
  const { problems, tried } = await crossings(tables)
  expect(problems).toEqual([])
  expect(tried).toBeGreaterThanOrEqual(tables.length * 40)
  expect(await contents()).toEqual(before)

  // The detector finds a wall that is down, and a policy that lets writers lie.
  const site = tables.filter(({ name }) => name === 'sites')
  await owner('alter table sites disable row level security')
  expect((await crossings(site)).problems).toContain('delete sites as ""')
  await owner(`alter table sites enable row level security; drop policy tenant_isolation on sites;
    create policy tenant_isolation on sites using (tenant_id = (select app.tenant_id())) with check (true)`)
  expect((await crossings(site)).problems).toContain('insert sites as "1"')
})
