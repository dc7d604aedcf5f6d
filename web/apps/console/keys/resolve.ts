import { COMMANDS, keysOf, type Bindings, type Command } from './bindings.ts'

export type Meaning = { command: Command } | { select: number }
type Stroke = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>

/**
 * A stroke's name: what the key types, or where it lies when that is no Latin letter (an Arabic layout types `ى` on
 * KeyN). Number pads are told by place, because what they type depends on Num Lock.
 */
export function keyOf({ key, code, ctrlKey, metaKey, shiftKey }: Stroke): string {
  const typed = nameOf(key, code, shiftKey)
  const modifier = ctrlKey || metaKey ? 'Ctrl+' : ''
  return modifier + (shiftKey && /^[a-z]$/.test(typed) ? 'Shift+' : '') + typed
}

function nameOf(key: string, code: string, shiftKey: boolean): string {
  if (code.startsWith('Numpad')) return code
  if (key.length > 1) return key
  if (key >= ' ' && key <= '~') return key.toLowerCase()
  if (code === 'Slash') return shiftKey ? '?' : '/'
  return /^Key[A-Z]$/.test(code) ? code.slice(3).toLowerCase() : key
}

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
