import { BELOW_HTTP, EMPTY_HANDLER, HTTP, NO_DATABASE, PGBENCH } from './bench.ts'
import { CALL_NEXT } from './contests/call-next.ts'
import { HTTP_BOARD, HTTP_UNCHANGED, LIST, POSITION } from './contests/reads.ts'
import { TAKE_COLD, TAKE_HOT } from './contests/take.ts'
import { ratio } from './measure/alternate.ts'
import type { Row } from './measure/sample.ts'

/** What a figure should be. */
export interface Goal {
  text: string
  atLeast?: number
  atMost?: number
}
export interface Verdict extends Goal {
  /** null when this run did not measure it. */
  measured: number | null
}

const RATIOS: readonly { goal: number; contest: string; callers: number; subject: string; against: string }[] = [
  { goal: 8, contest: TAKE_COLD, callers: 64, subject: BELOW_HTTP, against: PGBENCH },
  { goal: 40, contest: TAKE_HOT, callers: 64, subject: BELOW_HTTP, against: PGBENCH },
  { goal: 5, contest: CALL_NEXT, callers: 64, subject: BELOW_HTTP, against: PGBENCH },
  { goal: 4, contest: TAKE_COLD, callers: 64, subject: HTTP, against: PGBENCH },
  { goal: 0.5, contest: TAKE_COLD, callers: 64, subject: HTTP, against: NO_DATABASE },
  { goal: 3, contest: CALL_NEXT, callers: 64, subject: HTTP, against: PGBENCH },
  { goal: 2, contest: TAKE_COLD, callers: 16, subject: HTTP, against: PGBENCH },
  { goal: 0.9, contest: TAKE_COLD, callers: 1, subject: BELOW_HTTP, against: PGBENCH },
  { goal: 0.85, contest: LIST, callers: 64, subject: HTTP, against: EMPTY_HANDLER },
  { goal: 0.85, contest: LIST, callers: 64, subject: HTTP_UNCHANGED, against: EMPTY_HANDLER },
  { goal: 0.85, contest: LIST, callers: 64, subject: HTTP_BOARD, against: EMPTY_HANDLER },
  { goal: 0.9, contest: POSITION, callers: 64, subject: HTTP, against: EMPTY_HANDLER },
]

/** Judges the ratios between subjects; `others` are figures that a contest judged itself. */
export function judge(rows: readonly Row[], others: readonly Verdict[]): Verdict[] {
  const ratios = RATIOS.map(({ goal, contest, callers, subject, against }) => {
    const measured = ratio(rows, contest, callers, subject, against)
    return {
      text: `${contest}, ${callers} caller${callers === 1 ? '' : 's'}: ${subject} by ${against}`,
      atLeast: goal,
      measured: Number.isNaN(measured) ? null : measured,
    }
  })
  return [...ratios.filter(({ measured }) => measured !== null), ...others]
}

export const isMet = ({ measured, atLeast = -Infinity, atMost = Infinity }: Verdict): boolean =>
  measured !== null && measured >= atLeast && measured <= atMost
