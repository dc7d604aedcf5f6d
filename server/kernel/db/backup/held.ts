import type { Direct } from '../direct.ts'

/**
 * A restored copy is marked in its own settings, wherever it is started: it neither sends anything nor does background
 * work until somebody says that it now is the installation. The mark of a restore is a moment; a release names it, so that a
 * later restore of a released copy is held again.
 */
const IS_HELD = `
  select coalesce(current_setting('app.restored_at', true), '') <> ''
    and current_setting('app.restored_at', true) is distinct from current_setting('app.released', true) as held`

export async function isHeld(query: Direct['query']): Promise<boolean> {
  return (await query<{ held: boolean }>(IS_HELD))[0]!.held
}

/** Marks the database as restored at this moment; new sessions see it. */
export async function hold(query: Direct['query']): Promise<void> {
  await query(`do $$ begin
    execute format('alter database %I set app.restored_at = %L', current_database(), clock_timestamp()::text);
  end $$`)
}

/**
 * Makes a restored copy the installation: it may send, its jobs run, and its streams begin a new epoch, so that nobody who
 * followed the one before it takes other offsets for the same events.
 * @returns false when it was not held
 */
export async function release(query: Direct['query']): Promise<boolean> {
  if (!(await isHeld(query))) return false
  await renewEpochs(query)
  await query(`do $$ begin
    execute format('alter database %I set app.released = %L', current_database(), current_setting('app.restored_at'));
  end $$`)
  return true
}

/** For streams whose offsets stopped being comparable: whoever follows them begins with a snapshot. */
export async function renewEpochs(query: Direct['query']): Promise<number> {
  // A login that may not see every stream is refused instead of renewing some.
  await query('set row_security = off')
  const renewed = await query(`
    with renewed as (
      update streams set epoch = substr(md5(random()::text || clock_timestamp()::text || site_id), 1, 12) returning 1
    ) select count(*)::int as count from renewed`)
  return (renewed[0] as { count: number }).count
}
