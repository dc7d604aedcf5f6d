import type { Operation } from '../../kernel/operation.ts'

/** Singular of each noun of the registry. A noun that is not here keeps its operation's id: plurals are not guessed. */
const SINGULAR: Readonly<Record<string, string>> = {
  agents: 'agent',
  'api-keys': 'apiKey',
  appointments: 'appointment',
  'ar-markers': 'arMarker',
  audit: 'auditEntry',
  'booking-settings': 'bookingSetting',
  'calendar-feeds': 'calendarFeed',
  calendars: 'calendar',
  counters: 'counter',
  customers: 'customer',
  devices: 'device',
  displays: 'display',
  invitations: 'invitation',
  kiosks: 'kiosk',
  media: 'mediaItem',
  messages: 'message',
  'notification-rules': 'notificationRule',
  notifications: 'notification',
  people: 'person',
  playlists: 'playlist',
  'queue-rules': 'queueRule',
  queues: 'queue',
  services: 'service',
  sessions: 'session',
  sites: 'site',
  templates: 'template',
  tenants: 'tenant',
  tickets: 'ticket',
  users: 'user',
  'webhook-deliveries': 'webhookDelivery',
  webhooks: 'webhook',
}

/** Fields whose natural name does not follow from noun and verb. */
const FIELDS: Readonly<Record<string, string>> = {
  'agents.setStatus': 'setAgentStatus',
  'appointments.arrive': 'arriveAtAppointment',
  'appointments.bookSeries': 'bookAppointmentSeries',
  'appointments.cancelMine': 'cancelMyAppointment',
  'appointments.cancelSeries': 'cancelAppointmentSeries',
  'appointments.checkInMine': 'checkInMyAppointment',
  'appointments.confirmMine': 'confirmMyAppointment',
  'appointments.mine': 'myAppointment',
  'appointments.noShow': 'markAppointmentNoShow',
  'appointments.rescheduleMine': 'rescheduleMyAppointment',
  'audit.list': 'auditEntries',
  'devices.heartbeat': 'reportDeviceState',
  'mail.outbox': 'outboxMessages',
  'estimates.refresh': 'refreshEstimates',
  'queues.refresh': 'refreshQueues',
  'sessions.revokeOthers': 'revokeOtherSessions',
  'tenants.get': 'tenant',
  'tickets.callNext': 'callNextTicket',
  'tickets.closeDay': 'closeDay',
  'tickets.here': 'confirmMyArrival',
  'tickets.leave': 'cancelMyTicket',
  'tickets.mine': 'myTicket',
  'tickets.noShow': 'markTicketNoShow',
  'tickets.postpone': 'delayMyTicket',
  'tickets.rate': 'rateMyVisit',
  'tickets.stay': 'keepMyTicket',
}

/** Objects whose natural name is not `<Field>Result`. */
const TYPES: Readonly<Record<string, string>> = {
  'api-keys.create': 'CreatedApiKey',
  'appointments.book': 'BookedAppointment',
  'devices.pair': 'PairedDevice',
  'mail.outbox': 'OutboxMessage',
  'tickets.events': 'TicketEvent',
  'tickets.here': 'VisitorTicket',
  'tickets.mine': 'VisitorView',
  'tickets.take': 'TakenTicket',
}
/** Inner objects whose natural name is not that of their owner and property. */
const INNER: Readonly<Record<string, string>> = {
  AgentQueues: 'ServedQueue',
  DisplayBoardQueues: 'QueueSummary',
  DisplayBoardRecent: 'RecentCall',
  QueueBoardAgents: 'BoardAgent',
  QueueBoardCalled: 'BoardTicket',
  QueueBoardQueue: 'BoardQueue',
  QueueBoardWaiting: 'WaitingTicket',
  VisitorViewTicket: 'VisitorPlace',
}
export const naturalName = (name: string): string => INNER[name] ?? name

export const pascal = (name: string): string =>
  name.replace(/(?:^|[-_.]+)([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase())
const camel = (name: string) => name.replace(/[-_.]+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** `tickets.callNext` → `callNextTicket`; `queues.list` → `queues`; `queues.get` → `queue`; `queues.stats` → `queueStats`. */
export function fieldName({ id, kind }: Pick<Operation, 'id' | 'kind'>): string {
  const [noun = '', verb = ''] = id.split('.')
  const named = FIELDS[id]
  if (named) return named
  const singular = SINGULAR[noun]
  if (!singular) return camel(id)
  if (verb === 'list') return camel(noun)
  if (verb === 'get') return singular
  return kind === 'query' ? singular + pascal(verb) : verb + pascal(singular)
}

/** Name of the object an operation answers; `isItem`: of one of its list. */
export function typeName(op: Operation, isItem = false): string {
  const [noun = '', verb = ''] = op.id.split('.')
  if (TYPES[op.id]) return TYPES[op.id]!
  if (verb === 'get' || (verb === 'list' && isItem)) return pascal(SINGULAR[noun] ?? `${noun}Item`)
  const field = pascal(fieldName(op))
  return op.kind === 'query' ? field : `${field}Result`
}

/** Nouns that are about getting in: their answers are credentials, which are given over REST alone. */
const SIGN_IN = new Set(['auth', 'passkeys', 'sso'])

/** Why an operation has no field, or undefined: everything else has one. */
export function whyAbsent(op: Operation): string | undefined {
  if (op.http.cookie) return 'sets a cookie'
  if (op.http.contentType) return 'answers text'
  if (op.roles.every((role) => role === 'system')) return 'is the program’s own'
  if (SIGN_IN.has(op.id.split('.')[0]!)) return 'gives credentials'
  if (op.http.base === 'root' && op.roles.includes('anonymous')) return 'needs no credential'
  return undefined
}
