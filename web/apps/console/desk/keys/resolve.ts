import { keyOf, type Stroke } from '../../keys/stroke.ts'
import { COMMANDS, keysOf, type Bindings, type Command } from './bindings.ts'

export type Meaning = { command: Command } | { select: number }
/** What a stroke asks for; null when it is nobody's. */
export function resolve(stroke: Stroke, bindings: Bindings): Meaning | null {
  if (stroke.altKey) return null
  const name = keyOf(stroke)
  const command = COMMANDS.find((each) => keysOf(each, bindings).includes(name))
  if (command) return { command }
  if (stroke.ctrlKey || stroke.metaKey) return null
  // By place: AZERTY types & é " on the upper row.
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(stroke.code)?.[1]
  return digit ? { select: Number(digit) } : null
}
