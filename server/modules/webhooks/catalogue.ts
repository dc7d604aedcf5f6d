import Type, { type TSchema } from 'typebox'
import { AGENT_STATUSES, QUEUE_STATUSES, TicketStatus } from '../../../shared/ticket-status.ts'
import { Day, Enum, Id, Nullable, Time } from '../../kernel/schema.ts'

/** What a type of event says. `entity`: the operation whose answer is what `data` holds under the noun. */
export interface EventDefinition {
  summary: string
  /** Of `data`; absent properties are those that the occasion does not have. More may be added to any. */
  data: TSchema
  entity?: { noun: string; operation: string }
}

const text = Type.String()
const optional = Type.Optional
const Open = (properties: Record<string, TSchema>) => Type.Object(properties)
const STATUSES = Object.values(TicketStatus)
const Status = Enum(STATUSES)

/** One stay as the log tells it: nothing that people wrote about a person. */
const PublicTicket = Type.Object(
  {
    id: Id,
    site_id: Id,
    queue_id: Id,
    service_id: Id,
    number: text,
    channel: text,
    priority: Type.Integer(),
    status: Status,
    rank: Type.Number(),
    customer_id: Nullable(Id),
    agent_id: Nullable(Id),
    counter_id: Nullable(Id),
    counter_name: Nullable(text),
    language: Nullable(text),
    labels: Type.Array(text),
    needs: Type.Array(text),
    call_count: Type.Integer(),
    created_at: Time,
    called_at: Nullable(Time),
    started_at: Nullable(Time),
    ended_at: Nullable(Time),
    not_before: Nullable(Time),
  },
  { $id: 'PublicTicket' },
)
const AgentFace = Open({ id: Id, status: optional(Enum(AGENT_STATUSES)) })
const Move = Type.Object(
  {
    ticket: PublicTicket,
    from: optional(Nullable(Status)),
    to: optional(Status),
    channel: text,
    by: Type.String({ description: 'Role of whoever did it' }),
    agent: optional(AgentFace),
    reason: optional(text),
  },
  { $id: 'TicketMove' },
)
const move = (summary: string): EventDefinition => ({ summary, data: Move })

const TICKETS: Record<string, EventDefinition> = {
  'ticket.created': move('A ticket was taken'),
  'ticket.called': move('A ticket was called to a counter'),
  'ticket.recalled': move('A called ticket was called again'),
  'ticket.started': move('The service of a ticket began'),
  'ticket.held': move('A served ticket was put on hold'),
  'ticket.resumed': move('A held ticket was taken up again'),
  'ticket.completed': move('The service of a ticket ended'),
  'ticket.no_show': move('A called ticket did not come'),
  'ticket.returned': move('A ticket went back to its queue'),
  'ticket.transferred': move('A ticket went to another queue, counter or agent'),
  'ticket.cancelled': move('A waiting ticket was given up'),
  'ticket.delayed': move('A visitor let others pass or asked for time'),
  'ticket.moved': move('A ticket was given another place in its line'),
  'ticket.expired': move('The day or a timer closed a ticket'),
  'ticket.undone': move('The last act on a ticket was undone'),
  'ticket.updated': move('What is known of a ticket was changed'),
  'ticket.rated': { summary: 'A visit was rated', data: Open({ rating: Type.Integer() }) },
  'ticket.erased': { summary: 'A visitor had their data deleted', data: Open({}) },
  'ticket.tomorrow_offered': {
    summary: 'A place on another day was offered',
    data: Open({ day: Day, expires_at: Time, place: text }),
  },
  'ticket.tomorrow_accepted': {
    summary: 'The offer of another day was accepted',
    data: Open({ day: Day, place: text, appointment_id: Nullable(Id) }),
  },
  'ticket.tomorrow_declined': {
    summary: 'The offer of another day was declined',
    data: Open({ day: Day, place: text, appointment_id: Nullable(Id) }),
  },
  'ticket.tomorrow_ended': { summary: 'The offer of another day ran out', data: Open({ status: text }) },
  'ticket.place_taken_up': {
    summary: 'A kept place of another day became a ticket',
    data: Open({ new_ticket_id: Id, place: Type.Unknown() }),
  },
}

const Appointment = Open({
  appointment: Type.Object(
    {
      id: Id,
      site_id: Id,
      queue_id: Id,
      service_id: Id,
      status: text,
      start_at: Time,
      end_at: Time,
      timezone: text,
      party_size: Type.Integer(),
      customer_id: Nullable(Id),
      language: Nullable(text),
      channel: text,
      sequence: Type.Integer(),
    },
    { $id: 'PublicAppointment' },
  ),
  from: Nullable(text),
  to: text,
  by: text,
})
const APPOINTMENTS = Object.fromEntries(
  Object.entries({
    held: 'A place was kept while somebody books',
    pending: 'An appointment waits to be confirmed',
    booked: 'An appointment was booked',
    rescheduled: 'An appointment was moved',
    reminder_due: 'It is time to remind of an appointment',
    checked_in: 'An appointment became a ticket',
    cancelled: 'An appointment was cancelled',
    no_show: 'Nobody came to an appointment',
    expired: 'An appointment was not confirmed in time',
  }).map(([what, summary]): [string, EventDefinition] => [`appointment.${what}`, { summary, data: Appointment }]),
)

const Message = Open({
  message: Open({
    id: Id,
    kind: text,
    channel: text,
    status: text,
    error_code: Nullable(text),
  }),
})
const MESSAGES = Object.fromEntries(
  Object.entries({
    queued: 'A message waits to be sent',
    sent: 'A message was handed to its provider',
    delivered: 'A message reached its phone or mailbox',
    failed: 'A message could not be sent',
    expired: 'A message was no longer worth sending',
    received: 'A visitor wrote',
  }).map(([what, summary]): [string, EventDefinition] => [`message.${what}`, { summary, data: Message }]),
)

const device = (summary: string): EventDefinition => ({
  summary,
  data: Open({ device: Open({ id: Id, kind: text, name: text, is_locked: Type.Boolean() }) }),
})
const user = (summary: string): EventDefinition => ({ summary, data: Open({ user: Open({ id: Id }) }) })
const webhook = (summary: string): EventDefinition => ({
  summary,
  data: Open({
    webhook: Open({
      id: Id,
      events: Type.Array(text),
      site_id: Nullable(Id),
      is_active: Type.Boolean(),
      disabled_reason: Nullable(text),
    }),
  }),
})
const OTHERS: Record<string, EventDefinition> = {
  'customer.erased': { summary: 'What was known of a person was deleted', data: Open({ customer: Open({ id: Id }) }) },
  'agent.status_changed': {
    summary: 'An agent came, went or paused',
    data: Open({ agent: AgentFace }),
  },
  'agent.desk_taken': { summary: 'An agent works in another window', data: Open({ agent: AgentFace, desk: text }) },
  'queue.status_changed': {
    summary: 'A queue opened, paused, filled up or closed',
    data: Open({ queue: Open({ id: Id, status: Enum(QUEUE_STATUSES) }) }),
  },
  'queue.pace_changed': {
    summary: 'What a queue’s line may expect has changed',
    data: Open({ service_seconds: optional(Nullable(Type.Number())), forecast: optional(Type.Unknown()) }),
  },
  'queue.rules_published': { summary: 'Rules of a queue came into force', data: Open({ version: Type.Integer() }) },
  'rule.notified': {
    summary: 'A rule asked to tell the staff',
    data: Open({ rule: Open({ id: Id, name: text }), role: Type.Unknown(), message: Type.Unknown() }),
  },
  'site.alert_acknowledged': {
    summary: 'Somebody looks after an alert of the floor',
    data: Open({ alert: text }),
  },
  'presence.changed': {
    summary: 'A device or an agent went on or off line',
    data: Open({ presence: Open({ kind: text, id: Id, is_online: Type.Boolean() }) }),
  },
  'device.paired': device('A device was paired'),
  'device.updated': device('A device was renamed, locked or unlocked'),
  'device.revoked': device('A device was shut out'),
  'device.reported': device('A device told its state'),
  'kiosk.pin_guessed': {
    summary: 'Wrong staff PINs were typed at a ticket machine, so that none is looked at for a while',
    data: Open({ kiosk: Open({ id: Id, name: text }), failures: Type.Integer() }),
  },
  'display.link_rotated': {
    summary: 'The link of a display was changed',
    data: Open({ display: Open({ id: Id }) }),
  },
  'calendar.connected': { summary: 'A calendar was connected', data: Open({ calendar: Open({ id: Id }) }) },
  'calendar.disconnected': { summary: 'A calendar was disconnected', data: Open({ calendar: Open({ id: Id }) }) },
  'quiet_hours.updated': {
    summary: 'The hours in which nobody is written to were changed',
    data: Open({ starts: Nullable(text), ends: Nullable(text) }),
  },
  'message_price.updated': { summary: 'The price of a channel was changed', data: Open({ price: Type.Unknown() }) },
  'voice_clip.updated': {
    summary: 'A spoken word was recorded',
    data: Open({ clip: Open({ language: text, word: text }) }),
  },
  'voice_clip.deleted': {
    summary: 'A spoken word was deleted',
    data: Open({ clip: Open({ language: text, word: text }) }),
  },
  'media.created': { summary: 'An upload was announced', data: Open({ media: Open({ id: Id, kind: text }) }) },
  'media.updated': {
    summary: 'A picture or film is there, or was described',
    data: Open({ media: Open({ id: Id, kind: text }) }),
  },
  'media.deleted': { summary: 'A picture or film was deleted', data: Open({ media: Open({ id: Id, kind: text }) }) },
  'sandbox.advanced': {
    summary: 'Time passed in a sandbox',
    data: Open({ seconds: Type.Integer(), ahead_seconds: Type.Integer() }),
  },
  'sandbox.reset': { summary: 'A sandbox began anew', data: Open({}) },
  'tenant.languages_changed': {
    summary: 'Visitors are served in other languages than before',
    data: Open({ languages: Type.Array(Type.String()) }),
  },
  'tenant.updated': { summary: 'The organisation’s settings were changed', data: Open({ tenant: Type.Unknown() }) },
  'quota.exceeded': {
    summary: 'More was used than agreed',
    data: Open({ quota: text, amount: Type.Integer(), day: Day }),
  },
  'user.created': user('Somebody became a member'),
  'user.updated': user('A member’s role or limits were changed'),
  'user.deleted': user('A member was removed'),
  'user.impersonated': user('An operator acted as a member'),
  'invitation.created': { summary: 'Somebody was invited', data: Open({ invitation: Open({ id: Id }) }) },
  'invitation.deleted': { summary: 'An invitation was withdrawn', data: Open({ invitation: Open({ id: Id }) }) },
  'sso.updated': {
    summary: 'The organisation’s sign-in was changed',
    data: Open({ issuer: text, is_active: Type.Boolean() }),
  },
  'sso.deleted': { summary: 'The organisation’s sign-in was removed', data: Open({}) },
  'webhook.created': webhook('A webhook was added'),
  'webhook.updated': webhook('A webhook was changed'),
  'webhook.deleted': webhook('A webhook was deleted'),
  'webhook.secret_rotated': webhook('A webhook was given another secret'),
  'webhook.disabled': webhook('A webhook was disabled because its receiver is gone or fails'),
  'webhook.pinged': webhook('A first message to one webhook'),
}

/** Configuration by noun: what `data` holds is what reading it answers. People are told of by their id alone. */
const ENTITIES: Record<string, string | null> = {
  site: 'sites.get',
  service: 'services.get',
  counter: 'counters.get',
  queue: 'queues.get',
  queue_rule: 'queue-rules.get',
  agent: null,
  agent_hour: 'agent-hours.get',
  work_profile: 'work-profiles.get',
  display: 'displays.get',
  kiosk: 'kiosks.get',
  playlist: 'playlists.get',
  ar_marker: 'ar-markers.get',
  booking_setting: 'booking-settings.get',
  notification_rule: 'notification-rules.get',
  template: 'templates.get',
  customer: null,
  scheduled_report: 'scheduled-reports.get',
}
const VERBS = { created: 'was added', updated: 'was changed', deleted: 'was deleted' }
const CONFIGURATION = Object.fromEntries(
  Object.entries(ENTITIES).flatMap(([noun, operation]) =>
    Object.entries(VERBS).map(([verb, did]): [string, EventDefinition] => [
      `${noun}.${verb}`,
      {
        summary: `${/^[aeiou]/.test(noun) ? 'An' : 'A'} ${noun.replaceAll('_', ' ')} ${did}`,
        data: Open({ [noun]: Open({ id: Id }) }),
        ...(operation !== null && { entity: { noun, operation } }),
      },
    ]),
  ),
)

/** Every type of event there is. A test holds it against the code and against what a day writes. */
export const CATALOGUE: Readonly<Record<string, EventDefinition>> = Object.fromEntries(
  Object.entries({ ...CONFIGURATION, ...OTHERS, ...MESSAGES, ...APPOINTMENTS, ...TICKETS }).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  ),
)
const FAMILIES = new Set(Object.keys(CATALOGUE).map((type) => `${type.split('.')[0]}.*`))

/** Is this a type, or a family, that anything could ever be told of? */
export const isKnownPattern = (pattern: string): boolean => pattern in CATALOGUE || FAMILIES.has(pattern)
