/** A table of an organisation: which of its columns tell when something was, and what becomes of them when a sandbox's time passes. */
interface Clock {
  /** Instants, moved back by as much as passes. */
  moved?: readonly string[]
  /** Local days, moved back by the midnights that pass. */
  days?: readonly string[]
  /** Whole microseconds since 1970, as ranks are. */
  ranks?: readonly string[]
  /** Whose rows would meet one another on the way: by their days, or by their instants. */
  meets?: 'days' | 'instants'
  /** Columns that stay, and why. */
  stays?: readonly [columns: readonly string[], why: string]
}

const CREDENTIAL = 'who may come in is decided by the clock of everybody'
const CONFIGURATION = 'when it was written down decides nothing'
const TOLD = 'what was told, and when, stays as it was told'
const OUTSIDE = 'a machine or a file outside keeps the clock of everybody'
const WRITTEN = ['created_at', 'updated_at'] as const
const configured = (...more: string[]): Clock => ({ stays: [[...WRITTEN, ...more], CONFIGURATION] })

/** Every column of time of every table of an organisation; a test compares it with the database. */
export const CLOCKS: Readonly<Record<string, Clock>> = {
  tickets: {
    moved: [
      'entered_at',
      'not_before',
      'called_at',
      'last_called_at',
      'started_at',
      'held_at',
      'ended_at',
      'created_at',
      'undo_until',
      'appointment_at',
      'rated_at',
    ],
    days: ['day', 'series_day'],
    ranks: ['rank'],
    meets: 'days',
  },
  ticket_legs: { moved: ['entered_at', 'called_at', 'started_at', 'ended_at'] },
  ticket_estimates: { moved: ['at'] },
  queue_days: { moved: ['last_arrival_at'], days: ['day'], meets: 'days' },
  queue_shares: { ranks: ['finish'] },
  number_blocks: { moved: ['leased_at', 'starts_at', 'expires_at'], days: ['day'] },
  tomorrow_offers: { moved: ['offered_at', 'expires_at', 'answered_at'], days: ['day'], meets: 'days' },
  appointments: {
    moved: [
      'start_at',
      'end_at',
      'busy_from',
      'busy_until',
      'hold_expires_at',
      'checked_in_at',
      'ended_at',
      'created_at',
      'updated_at',
    ],
    // Made anew from `start_at`: an appointment is of the day on which it begins.
    stays: [['day'], 'follows from start_at'],
    meets: 'instants',
  },
  appointment_reminders: { moved: ['start_at', 'created_at'], meets: 'instants' },
  appointment_waiters: { moved: ['created_at'], days: ['from_day', 'to_day'] },
  messages: {
    moved: ['next_at', 'not_after', 'created_at', 'sent_at', 'delivered_at'],
    stays: [['claimed_at'], 'a worker that runs holds it'],
  },
  agents: { moved: ['status_since', 'expected_return_at'], stays: [WRITTEN, CONFIGURATION] },
  alert_acknowledgements: { moved: ['at'] },
  customers: { moved: WRITTEN },
  queue_metrics: { days: ['date'], meets: 'days', stays: [['aggregated_at'], 'when the figures were made'] },
  tenant_metrics: { days: ['date'], meets: 'days' },
  nightly_runs: { days: ['day'], meets: 'days' },
  quota_notices: { moved: ['noticed_at'], days: ['day'], meets: 'days' },
  webhook_deliveries: { moved: ['due_at'], stays: [['created_at', 'delivered_at', 'event_at'], TOLD] },

  events: { stays: [['at'], TOLD] },
  audit_entries: { stays: [['at'], 'the chain holds it'] },
  consent_log: { stays: [['at'], TOLD] },
  message_opt_outs: { stays: [['created_at'], TOLD] },
  webhook_attempts: { stays: [['at'], TOLD] },
  webhook_cursors: { stays: [['at'], TOLD] },
  notification_cursors: { stays: [['at'], TOLD] },
  search_cursors: { stays: [['at'], TOLD] },
  api_requests: { stays: [['at'], TOLD] },
  queue_states: { stays: [['measured_at'], 'learns from the log, which stays'] },
  site_predictors: { stays: [['at', 'updated_at'], 'learns from the log, which stays'] },

  api_keys: { stays: [['expires_at', 'last_used_at', 'revoked_at', ...WRITTEN], CREDENTIAL] },
  sessions: {
    stays: [['created_at', 'expires_at', 'revoked_at', 'rotated_at', 'proven_at', 'ends_at', 'seen_at'], CREDENTIAL],
  },
  invitations: { stays: [['created_at', 'expires_at'], CREDENTIAL] },
  memberships: { stays: [['created_at'], CREDENTIAL] },
  identity_providers: { stays: [['updated_at'], CREDENTIAL] },
  provider_identities: { stays: [['created_at'], CREDENTIAL] },
  device_pairings: { stays: [['expires_at'], CREDENTIAL] },
  devices: { stays: [['last_seen_at', 'revoked_at', ...WRITTEN], CREDENTIAL] },
  calendar_feeds: { stays: [['created_at'], CREDENTIAL] },
  ticket_links: { stays: [['created_at'], CREDENTIAL] },
  appointment_links: { stays: [['created_at'], CREDENTIAL] },
  idempotency_keys: { stays: [['created_at'], OUTSIDE] },
  presences: { stays: [['last_seen_at'], OUTSIDE] },
  push_subscriptions: { stays: [['created_at'], OUTSIDE] },
  calendar_busy: { stays: [['start_at', 'end_at'], OUTSIDE] },
  calendar_links: { stays: [['next_at', 'full_at', 'synced_at', 'claimed_until', 'created_at'], OUTSIDE] },
  webhooks: {
    stays: [['former_secret_until', 'since', 'failing_since', 'paused_until', 'delivered_at', ...WRITTEN], OUTSIDE],
  },
  media: { stays: [['upload_expires_at', ...WRITTEN], OUTSIDE] },
  exports: { stays: [['from', 'to', 'token_expires_at', 'created_at', 'finished_at', 'expires_at'], OUTSIDE] },
  imports: { stays: [['created_at', 'finished_at'], OUTSIDE] },
  archive_files: { stays: [['archived_at', 'kept_until'], OUTSIDE] },
  voice_clips: { stays: [['updated_at'], OUTSIDE] },

  agent_hours: configured(),
  ar_markers: configured(),
  booking_settings: configured(),
  counters: configured(),
  displays: configured('link_expires_at'),
  kiosks: { stays: [['pin_locked_until', ...WRITTEN], CREDENTIAL] },
  message_prices: { stays: [['updated_at'], CONFIGURATION] },
  message_templates: configured(),
  notification_rules: configured(),
  playlists: configured(),
  queue_rule_versions: { stays: [['published_at'], CONFIGURATION] },
  queue_rules: configured(),
  queues: configured(),
  scheduled_reports: configured(),
  services: configured(),
  sites: configured(),
  work_profiles: configured(),
}

/** Rows that would meet others on their way go through a time where nobody is. */
const AWAY_HOURS = 876_600
const AWAY_DAYS = AWAY_HOURS / 24
interface Moving {
  text: string
  values: number[]
}

/** Statements that move what happened back by `seconds`, and the days by `days`; each table's in turn. */
export function movingStatements(seconds: number, days: number): Moving[] {
  return Object.entries(CLOCKS).flatMap(([table, { moved = [], days: dates = [], ranks = [], meets }]) => {
    const hasDays = dates.length > 0 && days > 0
    if (moved.length + ranks.length === 0 && !hasDays) return []
    const isStepped = meets === 'instants' || (meets === 'days' && hasDays)
    const set = (instant: string, day: string, rank: string) =>
      [
        ...moved.map((column) => `${column} = ${column} ${instant}`),
        ...(hasDays ? dates.map((column) => `${column} = ${column} ${day}`) : []),
        ...(rank ? ranks.map((column) => `${column} = ${column} ${rank}`) : []),
      ].join(', ')
    const by = [...(moved.length + ranks.length > 0 ? [seconds] : []), ...(hasDays ? [days] : [])]
    const day = `$${by.length}::int`
    const whole: Moving = {
      text: `update ${table} set ${
        isStepped
          ? set(
              `+ interval '${AWAY_HOURS} hours' - make_interval(secs => $1::bigint)`,
              `+ ${AWAY_DAYS} - ${day}`,
              '- $1::bigint * 1000000',
            )
          : set('- make_interval(secs => $1::bigint)', `- ${day}`, '- $1::bigint * 1000000')
      }`,
      values: by,
    }
    if (!isStepped) return [whole]
    return [
      { text: `update ${table} set ${set(`- interval '${AWAY_HOURS} hours'`, `- ${AWAY_DAYS}`, '')}`, values: [] },
      whole,
    ]
  })
}
