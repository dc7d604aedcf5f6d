/**
 * The process's clocks, for what is no business time: log lines, caches, timeouts, tokens' ages.
 * Whatever is stored or shown to people takes its time from the database.
 */

/** Milliseconds since 1970; jumps when the machine's clock is set. */
export const now = (): number => Date.now()

/** Milliseconds since the process started; never goes back. For durations. */
export const monotonicMs = (): number => performance.now()
