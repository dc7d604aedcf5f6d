import pg from 'pg'

/**
 * The three roles nobody logs in as: `sq_owner` owns the tables and runs migrations, `sq_app` is what every request
 * acts as, `sq_backup` reads all tenants. They belong to the server, not to one database, so another process may be
 * creating them at this moment.
 */
export async function ensureRoles(client: pg.Client): Promise<void> {
  for (const role of ['sq_owner', 'sq_app']) await createRole(client, role, 'nologin')
  await createRole(client, 'sq_backup', 'nologin bypassrls').catch(async (error: unknown) => {
    // Hosted servers without superusers; there, backups are the host's business.
    if (!isCode(error, '42501')) throw error
    await createRole(client, 'sq_backup', 'nologin')
  })
  await client.query(`
    do $$ declare can text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
    begin
      if not pg_has_role(current_user, 'sq_owner', can) then execute format('grant sq_owner to %I', current_user); end if;
      if not pg_has_role(current_user, 'sq_app', can) then execute format('grant sq_app to %I', current_user); end if;
    end $$`)
}

/** Creates a role unless it exists; safe when several processes do so at once. */
export async function createRole(client: pg.Client, name: string, attributes: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [name])
  if (rowCount) return
  await client.query(`create role ${pg.escapeIdentifier(name)} ${attributes}`).catch((error: unknown) => {
    // 42710 it exists, 23505 it was created while we did
    if (!isCode(error, '42710', '23505')) throw error
  })
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof pg.DatabaseError && codes.includes(error.code ?? '')
}
