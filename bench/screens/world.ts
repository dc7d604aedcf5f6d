import type { Browser, Page } from 'playwright-core'
import type { Direct } from '../../server/kernel/db/index.ts'
import { quantile } from '../measure/stats.ts'

/** What the screens are measured in. */
export interface World {
  browser: Browser
  /** The console of an agent who is free. */
  desk: Page
  url: string
  /** Somebody takes a number. */
  take(): Promise<{ number: string; public_token: string }>
  query: Direct['query']
  /** So many, or a tenth of it in a quick run. */
  many(count: number): number
}

export const p95 = (values: readonly number[]): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.95,
  )
