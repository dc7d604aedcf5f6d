/** Arithmetic on the database's timestamps (RFC 3339, UTC, microseconds kept). */

/** Whole microseconds since 1970. */
export const microseconds = (instant: string): number => Number(Temporal.Instant.from(instant).epochNanoseconds / 1000n)

/** Seconds from one instant to a later one; negative when it is earlier. */
export const secondsBetween = (from: string, to: string): number => (microseconds(to) - microseconds(from)) / 1e6

export const plusSeconds = (instant: string, seconds: number): string =>
  Temporal.Instant.from(instant)
    .add({ milliseconds: Math.round(seconds * 1000) })
    .toString()
