/** A time that can be booked. */
export interface Slot {
  start_at: string
  /** On the site's clock. */
  time: string
  places: number
}
/** A month of days to choose from, and the times of the chosen one. */
export interface Month {
  /** `2026-12`. */
  month: string
  /** Days with free times, and how many. */
  free: Record<string, number>
  /** The chosen day; absent in a month without a free time. */
  day?: string
  times: Slot[]
  /** Why days of the month are closed or unlike others, by date and language. */
  reasons: Record<string, Record<string, string>>
}
