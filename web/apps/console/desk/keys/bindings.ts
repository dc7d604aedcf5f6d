import type { MessageKey } from '../../../../ui/messages.ts'

/** Acts that keys, buttons and the palette share. */
export const COMMANDS = [
  'next',
  'call',
  'recall',
  'start',
  'finish',
  'no_show',
  'transfer',
  'hold',
  'held',
  'return',
  'remove',
  'find',
  'history',
  'note',
  'pause',
  'undo',
  'palette',
  'help',
  'mini',
  'counter',
  'theme',
] as const
export type Command = (typeof COMMANDS)[number]
export const commandLabel = (command: Command): MessageKey => `console.command_${command}`

/** Keys that a person gave to commands, in the spelling of `keyOf`. */
export type Bindings = Partial<Record<Command, string>>

/**
 * Keys as delivered, the first one is shown on buttons. Letters stand at the same place on QWERTY and AZERTY. `Num` keys
 * are the one-handed set of the number pad. Space and Enter press the focused button and are nobody's.
 */
export const KEYS: Partial<Record<Command, readonly string[]>> = {
  next: ['n', 'PageDown', 'NumpadAdd', 'NumpadEnter'],
  call: ['c'],
  recall: ['r', 'NumpadMultiply'],
  start: ['s', 'Numpad0'],
  finish: ['f', 'NumpadDecimal'],
  no_show: ['x', 'NumpadSubtract'],
  transfer: ['t', 'NumpadDivide'],
  hold: ['p'],
  held: ['Shift+p'],
  find: ['/', 'F3'],
  history: ['h'],
  note: ['e'],
  pause: ['b'],
  undo: ['z', 'Ctrl+z'],
  palette: ['Ctrl+k'],
  help: ['?', 'F1'],
}

/** All keys of a command, with what the person chose in place of the first. */
export function keysOf(command: Command, bindings: Bindings): readonly string[] {
  const own = bindings[command]
  const delivered = KEYS[command] ?? []
  return own === undefined ? delivered : [own, ...delivered.slice(1)]
}
