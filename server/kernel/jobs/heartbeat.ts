import type { ownerPool } from '../db/index.ts'

const BEAT_MS = 5_000
/** A worker that has been silent for so long is dead or stopped; a job restarts within this and one beat. */
const SILENT_SECONDS = 20

const BEAT = `insert into public.job_workers (id) values ($1) on conflict (id) do update set beat_at = now()`
/** The job library itself waits four hours before it gives back what a dead worker had locked. */
const GIVE_BACK = `
  with dead as (delete from public.job_workers where beat_at < now() - make_interval(secs => $1)),
       silent as (
    select distinct j.locked_by from graphile_worker.jobs j
    where j.locked_by is not null and j.locked_at < now() - make_interval(secs => $1)
      and not exists (select from public.job_workers w where w.id = j.locked_by and w.beat_at >= now() - make_interval(secs => $1)))
  select graphile_worker.force_unlock_workers(array_agg(locked_by)) from silent having count(*) > 0`

export interface Heart {
  stop(): Promise<void>
  /** Whether the worker was silent for so long that its jobs may be somebody else's by now. */
  isSilent(): boolean
}

/** Says every few seconds that this worker lives, and gives back the jobs of those that no longer do. */
export function heartbeat(pool: ReturnType<typeof ownerPool>, id: string, onError: (error: unknown) => void): Heart {
  let heardAt = performance.now()
  const beat = async () => {
    // What counts is when it was said, not when the answer came.
    const saidAt = performance.now()
    await pool.query(BEAT, [id])
    heardAt = saidAt
    await pool.query(GIVE_BACK, [SILENT_SECONDS])
  }
  let last = beat().catch(onError)
  const timer = setInterval(() => (last = beat().catch(onError)), BEAT_MS).unref()
  return {
    isSilent: () => performance.now() - heardAt > SILENT_SECONDS * 1000,
    async stop() {
      clearInterval(timer)
      await last
      await pool.query('delete from public.job_workers where id = $1', [id]).catch(onError)
    },
  }
}
