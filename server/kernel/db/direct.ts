import { connectClient } from './hosts.ts'
import { types } from './values.ts'

/** A connection outside the tenant walls, as whoever `url` names: for migrations, the schema dump, backups and tests. */
export interface Direct {
  /** Runs one statement; without values, any number of them separated by semicolons. */
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>
  close(): Promise<void>
}

export async function connectDirect(url: string): Promise<Direct> {
  const client = await connectClient(url, { application_name: 'smartqueue direct', pipeline: true, types })
  return {
    async query<Row>(text: string, values?: readonly unknown[]) {
      const { rows } = values ? await client.query(text, [...values]) : await client.query(text)
      return rows as Row[]
    },
    close: () => client.end(),
  }
}
