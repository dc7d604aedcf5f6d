import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../../kernel/errors.ts'
import { aTenant, type TenantFixture, type TenantShape } from '../../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../../test/harness.ts'
import { caller, testRuntime } from '../../../test/runtime.ts'
import { operations as customerOperations } from '../../customers/index.ts'
import { operations as queueOperations } from '../../queues/index.ts'
import { operations as siteOperations } from '../../sites/index.ts'
import { operations as ticketOperations } from '../../tickets/index.ts'
import { operations } from '../index.ts'

const all = [...operations, ...ticketOperations, ...queueOperations, ...siteOperations, ...customerOperations]
type Run = ReturnType<ReturnType<typeof caller>>

/** A place that takes appointments, open around the clock unless a test says otherwise. */
export interface Office extends TenantFixture {
  /** As the supervisor, a stranger, a kiosk and the program itself. */
  run: Run
  stranger: Run
  atKiosk: Run
  program: Run
  adminRun: Run
  settingsId: number
  configure(changes: Record<string, unknown>): Promise<unknown>
  /** Instant `minutes` after nine in the morning (UTC) of tomorrow. */
  at(minutes: number): string
  book(input?: Record<string, unknown>): Promise<any>
  /** Types of the events about appointments, in order. */
  told(): Promise<string[]>
}

export async function anOfficeMaker() {
  const base: TestDatabase = await testDatabase()
  const runtime = testRuntime(base.db)
  const as = caller(runtime, all)
  const office = async (settings: Record<string, unknown> = {}, shape: TenantShape = {}): Promise<Office> => {
    const t = await aTenant(base.owner, shape)
    const run = as(t.supervisor, t.tenant)
    const queue_id = t.queues[0]!.id
    const created = await run('booking-settings.create', { queue_id, lead_seconds: 0, ...settings })
    const [clock] = await base.owner<{ morning: string }>(
      `select to_char(now() at time zone 'utc' + interval '1 day', 'YYYY-MM-DD"T09:00:00Z"') as morning`,
    )
    const at = (minutes: number) => Temporal.Instant.from(clock!.morning).add({ minutes }).toString()
    return {
      ...t,
      run,
      stranger: as(t.anonymous, t.tenant),
      atKiosk: as(t.kiosk, t.tenant),
      program: as(t.system, t.tenant),
      adminRun: as(t.admin, t.tenant),
      settingsId: created.id,
      configure: (changes) => run('booking-settings.update', { id: created.id, ...changes }),
      at,
      book: (input) => run('appointments.book', { queue_id, start_at: at(60), ...input }),
      told: async () =>
        (
          await base.owner<{ type: string }>(
            `select type from events where tenant_id = $1 and type like 'appointment.%' order by "offset"`,
            [t.tenant.id],
          )
        ).map(({ type }) => type),
    }
  }
  return { ...base, runtime, office }
}

/** Asks until there is an answer: on a machine with much else to do some are told to come again, which decides nothing. */
export const insistently = async <T>(work: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof AppError && error.kind === 'unavailable')) throw error
      await sleep(1000 * (error.retryAfterSeconds ?? 1))
    }
  }
}

/** Code of the refusal, or `ok`. */
export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: { code: string }) => error.code,
  )
