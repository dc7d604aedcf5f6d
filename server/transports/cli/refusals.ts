import { CommanderError, type Command } from 'commander'
import { translate } from '../../kernel/i18n.ts'
import type { Locale } from '../../kernel/schema.ts'

/** The parser's refusals that a person can cause, and the message that tells each. */
const MESSAGES: Record<string, string> = {
  'commander.unknownOption': 'cli.unknown_option',
  'commander.unknownCommand': 'cli.unknown_command',
  'commander.missingMandatoryOptionValue': 'cli.option_required',
  'commander.optionMissingArgument': 'cli.value_missing',
  'commander.missingArgument': 'cli.argument_missing',
  'commander.invalidArgument': 'cli.value_invalid',
  'commander.excessArguments': 'cli.too_many_arguments',
}

/** Lets refusals of `command` be thrown, so that they are told once and in the reader's language. Answers the command. */
export const thrown = (command: Command): Command =>
  command.exitOverride().configureOutput({ outputError: () => undefined })

/** The sentence for a refusal of the parser; empty when it is none, as after `--help`. Undefined for other errors. */
export function refusal(error: unknown, locale: Locale): string | undefined {
  if (!(error instanceof CommanderError)) return undefined
  if (error.exitCode === 0 || error.code === 'commander.help') return ''
  const key = MESSAGES[error.code]
  // The parser names what it refuses between quotes, and where it can, the nearest name that exists on a second line.
  const [, name = ''] = /'([^']*)'/.exec(error.message) ?? []
  const [, nearest] = /\(Did you mean (?:one of )?(.*?)\?\)/.exec(error.message) ?? []
  if (key === undefined) return error.message
  const said = translate(locale, key, { name })
  return nearest ? `${said} ${translate(locale, 'cli.did_you_mean', { name: nearest })}` : said
}
