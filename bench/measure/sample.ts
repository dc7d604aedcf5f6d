/** One measurement of one subject at one load. Figures that a subject cannot tell are NaN. */
export interface Sample {
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** CPU of the server process (below HTTP with the callers inside it) per operation, in microseconds. */
  serverMicroseconds: number
  /** CPU of all PostgreSQL processes per operation, in microseconds. */
  postgresMicroseconds: number
  /** Cores the whole machine kept busy meanwhile. */
  busyCores: number
  /** Operations refused or failed. */
  failures: number
}

/** Something that can be measured at a load. */
export interface Subject {
  name: string
  /** Puts the world back into the state every sample starts from. */
  prepare?(): Promise<void>
  measure(callers: number, seconds: number): Promise<Sample>
}

/** Subjects that do the same work, measured turn by turn; with pgbench on the machine the first is the yardstick. */
export interface Contest {
  name: string
  callers: readonly number[]
  subjects: readonly Subject[]
}

/** A subject's median sample at one load. */
export interface Row {
  contest: string
  subject: string
  callers: number
  sample: Sample
  /** Operations a second of each repetition, in order. */
  rates: number[]
}
