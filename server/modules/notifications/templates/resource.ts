import { MANAGERS, STAFF } from '../../../kernel/access.ts'
import { conflict } from '../../../kernel/errors.ts'
import { Default, resource } from '../../../kernel/resource.ts'
import { Enum, Locale, Text } from '../../../kernel/schema.ts'
import { MESSAGE_CHANNELS, MESSAGE_EVENTS } from '../vocabulary.ts'
import { checkText } from './compile.ts'

export const Event = Enum(MESSAGE_EVENTS)
export const Channel = Enum(MESSAGE_CHANNELS)
/** The longest text that providers still send as one message. */
export const Body = Text(1600, { minLength: 1 })
export const Subject = Text(200)

export const templates = resource({
  noun: 'templates',
  singular: 'template',
  table: 'message_templates',
  fields: { event: Event, channel: Channel, language: Locale, subject: Default(Subject, ''), body: Body },
  fixed: ['event', 'channel', 'language'],
  scopes: { read: 'read:queue', write: 'write:queue' },
  roles: { read: STAFF, write: MANAGERS },
  filters: {
    event: { schema: Event, where: 'event = $1' },
    channel: { schema: Channel, where: 'channel = $1' },
    language: { schema: Locale, where: 'language = $1' },
  },
  orderings: ['event', 'id'],
  example: { event: 'called', channel: 'sms', language: 'fr', body: '{number}, guichet {counter}. {site}' },
  constraints: { message_templates_tenant_id_event_channel_language_key: () => conflict('already_exists') },
  prepare(_, template) {
    checkText(template.event, template.body, template.language, '/body')
    checkText(template.event, template.subject ?? '', template.language, '/subject')
    return template
  },
})
