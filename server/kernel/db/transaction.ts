import { notFound } from '../errors.ts'
import { databaseError } from './failure.ts'
import type { Prefix, Session } from './session.ts'
import type { Statement, Tx, WriteTx } from './types.ts'

type Rows = Record<string, unknown>[]

/** A statement as it is sent. */
export type Say = (text: string, values: readonly unknown[]) => [text: string, values: readonly unknown[]]
export const asItIs: Say = (text, values) => [text, values]

type Run = (text: string, values: readonly unknown[]) => Promise<Rows>

/** `Tx` over whatever runs a statement; by itself, statements that each stand alone. */
export class Reader implements Tx {
  #run: Run
  constructor(run: Run) {
    this.#run = run
  }
  query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#run(text, values) as Promise<Row[]>
  }
  async maybe<Row>(text: string, values?: readonly unknown[]): Promise<Row | undefined> {
    return (await this.query<Row>(text, values))[0]
  }
  async one<Row>(text: string, values?: readonly unknown[]): Promise<Row> {
    const row = await this.maybe<Row>(text, values)
    if (row === undefined) throw notFound()
    return row
  }
}

const BEGIN: Prefix = { name: '', text: 'begin', values: [] }

/** One transaction on one session, from BEGIN to the server's answer to COMMIT or ROLLBACK. */
export class Transaction extends Reader implements WriteTx {
  /** Once COMMIT has left, a lost connection leaves the outcome unknown. */
  commitSent = false
  #session: Session
  #say: Say
  #ending: Promise<void> | undefined
  #failure: unknown

  /** BEGIN and the scope leave as one unit: no statement of this transaction can run without its tenant. */
  constructor(session: Session, scope: Prefix, say: Say = asItIs) {
    super((text, values) => this.#send(text, values))
    this.#session = session
    this.#say = say
    void this.#watch(session.sendPinned(scope, BEGIN))
  }

  async run<T>(work: (tx: WriteTx) => Promise<T>): Promise<T> {
    let result: T
    try {
      result = await work(this)
    } catch (error) {
      this.#ending ??= this.#rollback()
      await this.#ending.catch(() => {})
      // "current transaction is aborted" only says that an earlier statement failed: that one is the news.
      throw databaseError(error)?.code === '25P02' ? this.#failure : error
    }
    await (this.#ending ??= this.#commit())
    return result
  }

  async finish(statements: readonly Statement[]): Promise<Rows[]> {
    const answers = statements.map(({ text, values }) => this.#send(text, values))
    this.#ending = this.#commit()
    await this.#ending
    return Promise.all(answers)
  }

  #send(text: string, values: readonly unknown[]): Promise<Rows> {
    if (this.#ending) return Promise.reject(new Error('the transaction is over: a statement was sent after its end'))
    let rows: Promise<Rows>
    try {
      rows = this.#watch(this.#session.send(...this.#say(text, values))).then((answer) => answer.rows as Rows)
    } catch (error) {
      this.#failure ??= error
      rows = Promise.reject(error)
    }
    // Nobody need await it: its failure is the transaction's.
    rows.catch(() => {})
    return rows
  }

  /** The first failure decides, also when nobody awaits the statement; noted before the answer to COMMIT is read. */
  #watch<T>(answer: Promise<T>): Promise<T> {
    answer.catch((error: unknown) => (this.#failure ??= error))
    return answer
  }

  async #commit(): Promise<void> {
    if (this.#failure === undefined) {
      this.commitSent = true
      const { command } = await this.#session.command('commit')
      // COMMIT of a failed transaction succeeds, and says ROLLBACK.
      if (command === 'COMMIT') return
    } else await this.#rollback()
    throw this.#failure ?? new Error('the transaction was rolled back')
  }

  async #rollback(): Promise<void> {
    await this.#session.command('rollback')
  }
}
