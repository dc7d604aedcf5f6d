import type { Database, Listening } from '../db/types.ts'
import { wakeups } from '../metrics.ts'

/**
 * How processes wake each other. What is told carries offsets, never data, and may be lost or come twice: the log is
 * the truth, and a poll heals what nobody heard.
 */
export interface Bus {
  readonly name: string
  /** Known to hear nothing at the moment. */
  readonly isDeaf: boolean
  /** `missed` is called whenever something may not have been heard. */
  start(hear: (message: string) => void, missed: () => void): Promise<void>
  /** @throws when nobody was told, as far as can be known */
  tell(message: string): Promise<void>
  stop(): Promise<void>
}

const CHANNEL = 'smartqueue_events'

/**
 * PostgreSQL's NOTIFY, by the very connection that listens: it never waits for a transaction's turn in a pool. A process
 * that does not listen, such as a command, tells by a transaction.
 */
export class NotifyBus implements Bus {
  readonly name = 'notify'
  readonly isDeaf = false
  #db: Pick<Database, 'listen' | 'platform'>
  #listening: Listening | null = null

  constructor(db: Pick<Database, 'listen' | 'platform'>) {
    this.#db = db
  }

  async start(hear: (message: string) => void, missed: () => void): Promise<void> {
    const counted = (message: string) => {
      wakeups.inc({ bus: this.name })
      hear(message)
    }
    this.#listening = await this.#db.listen(CHANNEL, counted, missed)
  }

  async tell(message: string): Promise<void> {
    if (this.#listening) await this.#listening.notify(message)
    else await this.#db.platform((tx) => tx.query('select pg_notify($1, $2)', [CHANNEL, message]))
  }

  async stop(): Promise<void> {
    await this.#listening?.stop()
  }
}
