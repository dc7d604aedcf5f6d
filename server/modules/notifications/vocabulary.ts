/** What people are told of. The rest of the module is written in these words. */
export const MESSAGE_EVENTS = [
  'called',
  'position',
  'minutes_left',
  'missed',
  'transferred',
  'delayed',
  'still_coming',
  'survey',
  'tomorrow_offered',
  'appointment_confirmed',
  'appointment_reminder',
  'appointment_cancelled',
] as const
export type MessageEvent = (typeof MESSAGE_EVENTS)[number]

export const MESSAGE_CHANNELS = ['sms', 'whatsapp', 'email', 'push'] as const
export type MessageChannel = (typeof MESSAGE_CHANNELS)[number]

const PLACE = ['tenant', 'site', 'service', 'name', 'link'] as const
const TICKET = [...PLACE, 'number', 'queue'] as const
const APPOINTMENT = [...PLACE, 'date', 'time'] as const

/** What a template of each event may speak of. A text that names anything else is refused. */
export const PLACEHOLDERS = {
  called: [...TICKET, 'counter'],
  position: [...TICKET, 'position'],
  minutes_left: [...TICKET, 'minutes'],
  missed: [...TICKET, 'minutes'],
  transferred: TICKET,
  delayed: TICKET,
  still_coming: [...TICKET, 'position'],
  survey: TICKET,
  /** The day that is offered, and until when an answer counts. */
  tomorrow_offered: [...TICKET, 'date', 'time'],
  appointment_confirmed: APPOINTMENT,
  appointment_reminder: APPOINTMENT,
  appointment_cancelled: APPOINTMENT,
} as const satisfies Record<MessageEvent, readonly string[]>

/** Values of the placeholders: counts are numbers, so that plurals work. */
export type MessageValues = Record<string, string | number>

/** Values that stand for real ones where a text is tried. Counts are varied by whoever asks. */
export const SAMPLE: MessageValues = {
  tenant: 'Demo Bank',
  site: 'Centre',
  service: 'Accueil',
  queue: 'Accueil',
  name: 'Samira',
  number: 'A042',
  counter: '3',
  position: 3,
  minutes: 10,
  date: '02/03/2026',
  time: '14:05',
  link: 'https://example.org/t/1-0123456789abcdefghijklmnop',
}

/** Events that a queue's rules speak of. When a reminder is due is said by the queue's booking settings. */
export const RULE_EVENTS = [
  'called',
  'position',
  'minutes_left',
  'still_coming',
  'missed',
  'transferred',
  'delayed',
  'survey',
  'tomorrow_offered',
  'appointment_confirmed',
  'appointment_reminder',
  'appointment_cancelled',
] as const satisfies readonly MessageEvent[]
export type RuleEvent = (typeof RULE_EVENTS)[number]

/** Stands in stored texts where the ticket's secret address is put in while they are sent. */
export const LINK_MARK = '⟨link⟩'
