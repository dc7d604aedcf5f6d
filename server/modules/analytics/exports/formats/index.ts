import type { Column, Encoder } from './column.ts'
import { csv } from './csv.ts'
import { xlsx } from './xlsx.ts'

export const FORMATS = ['csv', 'xlsx', 'parquet'] as const
export type Format = (typeof FORMATS)[number]

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  parquet: 'application/vnd.apache.parquet',
}

/** What writes the least common format is loaded for it. */
export async function encoder(
  format: Format,
  columns: readonly Column[],
  options: { title: string; isRtl: boolean },
): Promise<Encoder> {
  if (format === 'xlsx') return xlsx(columns, options)
  if (format === 'csv') return csv(columns)
  const { parquet } = await import('./parquet.ts')
  return parquet(columns)
}
