import type { Interval } from './intervals.tsx'

export type Day = '1' | '2' | '3' | '4' | '5' | '6' | '7'
export interface Reason {
  fr?: string | undefined
  en?: string | undefined
  ar?: string | undefined
}
/** `opening_hours` of a site or queue, as the contract has them. */
export interface OpeningHours {
  weekly: Partial<Record<Day, Interval[]>>
  exceptions?: { date: string; intervals: Interval[]; reason?: Reason }[]
  closures?: { from: string; to: string; reason?: Reason }[]
  holidays?: { country: string; state?: string; region?: string }
}
