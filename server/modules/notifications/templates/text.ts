import type { Tx } from '../../../kernel/db/types.ts'
import { translate } from '../../../kernel/i18n.ts'
import type { Locale } from '../../../kernel/schema.ts'
import type { MessageChannel, MessageEvent, MessageValues } from '../vocabulary.ts'
import { plainValues, render } from './compile.ts'

export interface Rendered {
  /** E-mails and notifications have one; empty for the others. */
  subject: string
  body: string
}
export interface Template {
  event: MessageEvent
  channel: MessageChannel
  language: Locale
  subject: string
  body: string
}

/** All that an organisation says in its own words: a few dozen rows. */
export const ownTemplates = (tx: Tx): Promise<Template[]> =>
  tx.query<Template>('select event, channel, language, subject, body from message_templates')

const hasSubject = (channel: MessageChannel): boolean => channel === 'email' || channel === 'push'

/** What is said of an event: the organisation's own words, else those that come with the program. */
export function textOf(
  templates: readonly Template[],
  event: MessageEvent,
  channel: MessageChannel,
  language: Locale,
  values: MessageValues,
): Rendered {
  const own = templates.find((one) => one.event === event && one.channel === channel && one.language === language)
  if (own) {
    const subject =
      own.subject === '' ? standard(event, 'subject', language, values) : render(own.subject, language, values)
    return { subject: hasSubject(channel) ? oneLine(subject) : '', body: render(own.body, language, values) }
  }
  return {
    subject: hasSubject(channel) ? oneLine(standard(event, 'subject', language, values)) : '',
    body: standard(event, 'text', language, values),
  }
}

const standard = (event: MessageEvent, part: 'subject' | 'text', language: Locale, values: MessageValues): string =>
  translate(language, `message.${event}.${part}`, plainValues(values))

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim()
