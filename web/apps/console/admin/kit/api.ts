import { call, type CallOptions, type Operation } from '../../../../data/api.ts'
import type { Shell } from '../../shell/shell.ts'
import { isSignedOut } from '../../state/session.ts'

/** Runs operations as whoever is signed in, in their organisation. */
export class Api {
  readonly shell: Shell
  constructor(shell: Shell) {
    this.shell = shell
  }
  get tenant(): string {
    return this.shell.tenant
  }
  get timeZone(): string {
    return this.shell.timeZone
  }
  async run<Input extends object, Output>(
    operation: Operation<Input, Output>,
    input: Omit<Input, 'tenant'> & { tenant?: string },
    options: CallOptions = {},
  ): Promise<Output> {
    const whole = operation.path.includes('{tenant}') ? { tenant: this.tenant, ...input } : input
    try {
      return await call(operation, whole as Input, { csrf: this.shell.session.csrf_token ?? '', ...options })
    } catch (error) {
      if (isSignedOut(error)) this.shell.expire()
      throw error
    }
  }
  /** Every row of a list that is short by nature. */
  async all<Row>(operation: AnyOperation, input: object = {}): Promise<Row[]> {
    const rows: Row[] = []
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = (await this.run(operation, { limit: 200, ...input, ...(cursor && { cursor }) })) as {
        results: Row[]
        next?: string | null
      }
      rows.push(...page.results)
      cursor = page.next ?? null
    }
    return rows
  }
}

/** Of any noun: a page that is declared knows shapes by their schemas. */
// oxlint-disable-next-line no-explicit-any -- inputs of different operations have nothing in common
export type AnyOperation = Operation<any, any>
export type Row = Record<string, unknown> & { id: number }
