import type { ReactNode } from 'react'
import { languageTag } from '../../../../shared/format.ts'
import { stopwatch } from '../../../ui/format.ts'
import { currentLanguage } from '../../../ui/messages.ts'
import { Code } from '../../../ui/parts/react.ts'

export type Kind = 'text' | 'count' | 'seconds' | 'share' | 'rating'
export interface Column {
  label: string
  kind: Kind
}
export type Cell = string | number | null
export interface Row {
  key: string
  cells: readonly Cell[]
}
export interface ReportData {
  columns: readonly Column[]
  rows: readonly Row[]
}

/** A figure as people read it. Nothing to tell of is a dash. */
export function Value({ value, kind }: { value: Cell; kind: Kind }): ReactNode {
  if (value === null) return '–'
  if (typeof value === 'string') return value
  switch (kind) {
    case 'seconds':
      return <Code>{stopwatch(value)}</Code>
    case 'share':
      return number(value, { style: 'percent', maximumFractionDigits: 1 })
    case 'rating':
      return number(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 })
    default:
      return number(value)
  }
}
const number = (value: number, options?: Intl.NumberFormatOptions) =>
  new Intl.NumberFormat(languageTag(currentLanguage()), options).format(value)
export const shareText = (value: number | null) =>
  value === null ? '–' : number(value, { style: 'percent', maximumFractionDigits: 0 })
