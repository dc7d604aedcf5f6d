import { parse, TYPE, type MessageFormatElement } from '@formatjs/icu-messageformat-parser'
import type { CompiledMessage, Part } from '../ui/messages.ts'

/**
 * An ICU message as data that the screens' small interpreter (web/ui/messages.ts) reads: no parser and no code made
 * from text reaches a browser. Arguments, numbers, plurals and selections; anything else is refused.
 */
export function compileMessage(message: string): CompiledMessage {
  const parts = partsOf(parse(message, { ignoreTag: true }))
  return parts.every((part) => typeof part === 'string') ? parts.join('') : parts
}

function partsOf(elements: readonly MessageFormatElement[]): Part[] {
  return elements.map((element) => {
    switch (element.type) {
      case TYPE.literal:
        return element.value
      case TYPE.argument:
      case TYPE.number:
        return [element.value]
      case TYPE.pound:
        return 0
      case TYPE.plural:
      case TYPE.select: {
        const forms = Object.entries(element.options).map(([form, { value }]) => [form, partsOf(value)] as const)
        return [element.value, element.type === TYPE.plural ? 'p' : 's', Object.fromEntries(forms)]
      }
      default:
        throw new Error(`messages of screens know no ${TYPE[element.type]}`)
    }
  })
}
