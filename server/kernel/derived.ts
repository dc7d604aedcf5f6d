import type { TObject, TSchema } from 'typebox'
import { checkIfMatch } from './etag.ts'
import type { EventInput } from './events/index.ts'
import type { Context, Operation } from './operation.ts'
import type { Fields, Resource } from './resource.ts'
import { Closed, Page } from './schema.ts'

type Row = Record<string, unknown> & { id: number }

/** What the answers of a resource carry beside the columns of its table. */
export interface Extension {
  table: string
  properties: Record<string, TSchema>
  /** Values of the properties, one object a row, in the order of the rows. */
  derive(ctx: Context, rows: readonly Row[]): Promise<readonly object[]>
  /** Further inputs of create and update, all optional: what is kept in other tables. */
  inputs?: Record<string, TSchema>
  /** Runs after the row was created or changed, before its properties are derived. */
  written?(ctx: Context, row: Row, inputs: Record<string, unknown>, isNew: boolean): Promise<void>
  /** The event of a write, completed; `row` has its properties, except after a deletion. */
  event(ctx: Context, event: EventInput, row: Row): EventInput | Promise<EventInput>
}

/** The operations of `base` with an extension's properties in every answer. */
export function extend<F extends Fields>(base: Resource<F>, extension: Extension): readonly Operation[] {
  const [list, get, create, update, remove] = base.operations as [Operation, Operation, Operation, Operation, Operation]
  const { properties, inputs = {}, table } = extension
  const columns = base.entity as unknown as TObject
  const output = Closed({ ...columns.properties, ...properties })

  const complete = async (ctx: Context, rows: readonly Row[]): Promise<Row[]> => {
    const derived = rows.length ? await extension.derive(ctx, rows) : []
    return rows.map((row, i) => ({ ...row, ...derived[i] }))
  }
  const completeOne = async (ctx: Context, row: Row): Promise<Row> => (await complete(ctx, [row]))[0]!
  /** `input` parted into what the table takes and what the extension takes. */
  const split = (input: Record<string, unknown>) => {
    const entries = Object.entries(input)
    const isOwn = ([name]: [string, unknown]) => Object.hasOwn(inputs, name)
    return {
      own: Object.fromEntries(entries.filter(isOwn)),
      rest: Object.fromEntries(entries.filter((entry) => !isOwn(entry))),
    }
  }
  const write = async (ctx: Context, op: Operation, input: Record<string, unknown>): Promise<Row> => {
    const { own, rest } = split(input)
    const events: EventInput[] = []
    const row = (await op.run({ ...ctx, ifMatch: null, emit: (event) => void events.push(event) }, rest)) as Row
    await extension.written?.(ctx, row, own, op === create)
    const full = await completeOne(ctx, row)
    for (const event of events) ctx.emit(await extension.event(ctx, event, full))
    return full
  }
  /** The validator a caller has was taken over the whole answer, so the whole answer is compared, under the row's lock. */
  const checkValidator = async (ctx: Context, id: number) => {
    if (ctx.ifMatch === null) return
    await ctx.tx.one(`select 1 from ${table} where id = $1 for no key update`, [id])
    checkIfMatch(ctx.ifMatch, read, await read.run(ctx, { id }))
  }

  const read: Operation = {
    ...get,
    output,
    run: async (ctx, input) => completeOne(ctx, (await get.run(ctx, input)) as Row),
    readMany: async (ctx, ids) => complete(ctx, (await get.readMany!(ctx, ids)) as Row[]),
  }
  return [
    {
      ...list,
      output: Page(output),
      async run(ctx, input) {
        const page = (await list.run(ctx, input)) as { results: Row[] }
        return { ...page, results: await complete(ctx, page.results) }
      },
    },
    read,
    {
      ...create,
      input: Closed({ ...create.input.properties, ...inputs }),
      output,
      run: (ctx, input: Record<string, unknown>) => write(ctx, create, input),
    },
    {
      ...update,
      input: Closed({ ...update.input.properties, ...inputs }),
      output,
      async run(ctx, input: Record<string, unknown>) {
        await checkValidator(ctx, input['id'] as number)
        return write(ctx, update, input)
      },
    },
    {
      ...remove,
      async run(ctx, input: { id: number }) {
        await checkValidator(ctx, input.id)
        const events: EventInput[] = []
        const output = await remove.run({ ...ctx, ifMatch: null, emit: (event) => void events.push(event) }, input)
        for (const event of events) ctx.emit(await extension.event(ctx, event, { id: input.id }))
        return output
      },
    },
  ]
}
