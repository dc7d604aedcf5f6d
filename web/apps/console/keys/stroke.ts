export type Stroke = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>

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

const NAMES: Record<string, string> = {
  NumpadAdd: '+',
  NumpadEnter: '⏎',
  NumpadMultiply: '*',
  NumpadSubtract: '-',
  NumpadDivide: '÷',
  NumpadDecimal: '.',
  PageDown: 'PgDn',
}
/** A key as it is printed on a button: `N`, `Ctrl K`, `PgDn`; of the number pad with its sign. */
export const keyLabel = (key: string): string =>
  key
    .split('+')
    .filter(Boolean)
    .map(
      (part) =>
        NAMES[part] ?? (/^Numpad\d$/.test(part) ? part.slice(6) : part.length === 1 ? part.toUpperCase() : part),
    )
    .join(' ')
