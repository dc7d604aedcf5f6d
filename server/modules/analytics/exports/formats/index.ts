import type { Column, Encoder } from './column.ts'
import { csv } from './csv.ts'
import { parquet } from './parquet.ts'
import { xlsx } from './xlsx.ts'

export const FORMATS = ['csv', 'xlsx', 'parquet'] as const
export type Format = (typeof FORMATS)[number]

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  parquet: 'application/vnd.apache.parquet',
}

export function encoder(
  format: Format,
  columns: readonly Column[],
  options: { title: string; isRtl: boolean },
): Encoder {
  if (format === 'xlsx') return xlsx(columns, options)
  return format === 'csv' ? csv(columns) : parquet(columns)
}
