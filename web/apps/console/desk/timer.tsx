import { stopwatch } from '../../../ui/format.ts'
import { Code } from '../../../ui/parts/react.ts'
import { useSecond } from '../state/clock.ts'

/** Runs beside the ticket; silent for screen readers. */
export function Timer({ since }: { since: string | null }) {
  const now = useSecond()
  return (
    <span role="timer" aria-live="off" className="timer">
      <Code>{stopwatch(since === null ? 0 : now - Date.parse(since) / 1000)}</Code>
    </span>
  )
}
