import type { Registered } from './classes.ts'

/** Tables that hold something of a person, or that could. A column that is in no entry fails the checks. */
export const PERSONAL_TABLES: Readonly<Record<string, Registered>> = {
  alert_acknowledgements: {
    about: 'staff',
    kept: 'until somebody takes the same alert again, or the site is deleted',
    personal: { user_id: 'reference' },
    none: 'tenant_id site_id alert at',
  },
  agent_hours: {
    about: 'staff',
    kept: 'as long as they work here',
    personal: { agent_id: 'reference', hours: 'preference' },
    none: 'tenant_id id created_at updated_at',
  },
  agent_queues: {
    about: 'staff',
    kept: 'as long as they work here',
    personal: { agent_id: 'reference' },
    none: 'tenant_id queue_id weight pass',
  },
  agents: {
    about: 'staff',
    kept: 'as long as they work here',
    personal: {
      user_id: 'reference',
      name: 'identity',
      status_reason: 'free_text',
      desk: 'free_text',
      skills: 'free_text',
      languages: 'preference',
    },
    none:
      'tenant_id id site_id status status_since expected_return_at counter_id is_active created_at updated_at' +
      ' call_mode max_wait_seconds work_profile_id',
  },
  api_keys: {
    about: 'staff',
    kept: 'until it is deleted',
    personal: { name: 'free_text', prefix: 'secret', key_hash: 'secret', created_by: 'reference' },
    none: 'tenant_id id mode scopes expires_at last_used_at revoked_at created_at updated_at',
  },
  appointment_links: {
    about: 'visitor',
    kept: 'data_retention_days',
    personal: { token_hash: 'secret' },
    none: 'tenant_id appointment_id purpose created_at',
  },
  appointment_waiters: {
    about: 'visitor',
    kept: 'data_retention_days',
    personal: { customer_id: 'reference', language: 'preference', token_hash: 'secret', confirm_hash: 'secret' },
    none: 'tenant_id id site_id queue_id from_day to_day party_size status appointment_id created_at',
  },
  appointments: {
    about: 'visitor',
    kept: 'data_retention_days',
    personal: {
      customer_id: 'reference',
      agent_id: 'reference',
      language: 'preference',
      note: 'free_text',
      code: 'secret',
      end_reason: 'free_text',
    },
    none:
      'tenant_id id site_id queue_id service_id status start_at end_at busy_from busy_until day party_size' +
      ' counter_id channel hold_expires_at checked_in_at ended_at ticket_id series_id sequence created_at' +
      ' updated_at',
  },
  audit_entries: {
    about: 'both',
    kept: 'for ever: by number only',
    personal: { principal: 'reference', details: 'reference', address: 'device', user_agent: 'device' },
    none: 'tenant_id seq at role operation subject request_id link',
  },
  calendar_busy: {
    about: 'staff',
    kept: 'until the calendar is disconnected',
    personal: { name: 'reference' },
    none: 'tenant_id id link_id start_at end_at',
  },
  calendar_entries: {
    about: 'nobody',
    kept: 'until the calendar is disconnected',
    none: 'tenant_id link_id appointment_id name etag sequence is_tentative',
  },
  calendar_feeds: {
    about: 'staff',
    kept: 'until it is deleted',
    personal: { name: 'free_text', agent_id: 'reference', token_hash: 'secret' },
    none: 'tenant_id id site_id queue_id created_at',
  },
  calendar_links: {
    about: 'staff',
    kept: 'until the calendar is disconnected',
    personal: {
      agent_id: 'reference',
      url: 'free_text',
      username: 'identity',
      password: 'secret',
      last_error: 'free_text',
    },
    none:
      'tenant_id id site_id queue_id status failures next_at sync_token full_at synced_at claim claimed_until' +
      ' created_at',
  },
  code_generators: {
    about: 'staff',
    kept: 'as long as they work here',
    personal: { user_id: 'reference', secret: 'secret' },
    none: 'confirmed_at last_step failures locked_until',
  },
  consent_log: {
    about: 'visitor',
    kept: 'for ever: proof of what was agreed to, by number only',
    personal: { customer_id: 'reference', purpose: 'consent', is_given: 'consent' },
    none: 'tenant_id id at',
  },
  customers: {
    about: 'visitor',
    kept: 'data_retention_days after the last visit',
    personal: {
      id: 'reference',
      name: 'identity',
      phone: 'contact',
      email: 'contact',
      locale: 'preference',
      consents: 'consent',
      external_id: 'identity',
      note: 'free_text',
      search_text: 'identity',
    },
    none: 'tenant_id created_at updated_at',
  },
  device_pairings: {
    about: 'nobody',
    kept: 'minutes',
    personal: { secret_hash: 'secret', code: 'secret' },
    none: 'expires_at tenant_id device_id',
  },
  devices: {
    about: 'staff',
    kept: 'until it is deleted',
    personal: { token_hash: 'secret', report: 'device', paired_by: 'reference' },
    none:
      'tenant_id id kind site_id name kiosk_id display_id is_locked last_seen_at revoked_at created_at' + ' updated_at',
  },
  displays: {
    about: 'nobody',
    personal: { alert: 'free_text' },
    none:
      'tenant_id id site_id name queue_ids settings is_active created_at updated_at link_version' +
      ' link_expires_at playlist_id',
  },
  events: {
    about: 'both',
    kept: 'for ever, or until HISTORY_DAYS and then in a file: by number only',
    personal: { actor: 'reference', agent_id: 'reference', data: 'free_text' },
    none: 'tenant_id site_id offset type at queue_id from_queue_id ticket_id',
  },
  exports: {
    about: 'both',
    kept: '7 days',
    personal: { requested_by: 'reference', token_hash: 'secret' },
    none: 'tenant_id id kind format from to site_id queue_id service_id locale status rows_done rows_total size_bytes attempt token_expires_at created_at finished_at expires_at',
  },
  imports: {
    about: 'both',
    kept: '30 days',
    personal: { requested_by: 'reference', actor: 'reference' },
    none: 'tenant_id id kind status rows_total created_at finished_at',
  },
  import_rows: {
    about: 'visitor',
    kept: '30 days',
    personal: { input: 'free_text', errors: 'free_text', target_id: 'reference' },
    none: 'tenant_id import_id line status',
  },
  scheduled_reports: {
    about: 'staff',
    kept: 'until it is deleted',
    personal: { recipients: 'contact', name: 'free_text' },
    none: 'tenant_id id site_id frequency day locale is_active created_at updated_at',
  },
  export_chunks: {
    about: 'visitor',
    kept: '7 days',
    personal: { bytes: 'free_text' },
    none: 'tenant_id export_id n',
  },
  idempotency_keys: {
    about: 'both',
    kept: '24 hours',
    personal: { principal: 'reference', body: 'free_text' },
    none: 'tenant_id operation key fingerprint status created_at',
  },
  identity_providers: {
    about: 'nobody',
    personal: { client_secret: 'secret' },
    none:
      'tenant_id issuer client_id scope groups_claim group_roles default_role email_domains is_active' + ' updated_at',
  },
  invitations: {
    about: 'staff',
    kept: 'until they end',
    personal: { email: 'contact', nonce: 'secret', invited_by: 'reference' },
    none: 'tenant_id id role site_ids queue_ids created_at expires_at',
  },
  media: {
    about: 'both',
    kept: 'until it is deleted; pictures lose what the camera wrote into them',
    personal: { name: 'free_text', alt: 'free_text', variants: 'reference', upload_hash: 'secret' },
    none: 'tenant_id id kind status width height upload_expires_at created_at updated_at',
  },
  memberships: {
    about: 'staff',
    kept: 'as long as they work here',
    personal: { user_id: 'reference' },
    none: 'tenant_id role site_ids queue_ids is_active created_at',
  },
  message_opt_outs: {
    about: 'visitor',
    kept: 'until the person takes it back; its address is a hash once the person is erased',
    personal: { address: 'contact' },
    none: 'tenant_id channel created_at',
  },
  messages: {
    about: 'visitor',
    kept: 'message_retention_days',
    personal: {
      customer_id: 'reference',
      language: 'preference',
      address: 'contact',
      subject: 'free_text',
      body: 'free_text',
      details: 'free_text',
      provider_id: 'reference',
    },
    none:
      'tenant_id id direction site_id queue_id ticket_id leg kind channel dedupe_key status attempt claimed_at' +
      ' next_at not_after other_channels escalate_after_seconds provider error_code segments cost_micros' +
      ' created_at sent_at delivered_at appointment_id',
  },
  outbox_messages: {
    about: 'both',
    kept: '7 days',
    personal: { recipient: 'contact', subject: 'free_text', body: 'free_text' },
    none: 'id created_at channel key',
  },
  passkeys: {
    about: 'staff',
    kept: 'as long as they work here',
    personal: { user_id: 'reference', name: 'free_text', credential_id: 'secret', public_key: 'secret' },
    none: 'id sign_count transports is_backup_eligible is_backed_up created_at last_used_at',
  },
  platform_switches: {
    about: 'staff',
    kept: 'until it is changed again',
    personal: { changed_by: 'reference', reason: 'free_text' },
    none: 'name is_off changed_at',
  },
  platform_idempotency_keys: {
    about: 'both',
    kept: '24 hours',
    personal: { principal: 'reference', body: 'free_text' },
    none: 'operation key fingerprint status created_at',
  },
  presences: {
    about: 'staff',
    kept: 'as long as they work here',
    personal: { id: 'reference' },
    none: 'tenant_id kind site_id is_online last_seen_at',
  },
  provider_identities: {
    about: 'staff',
    kept: 'as long as they work here',
    personal: { subject: 'identity', user_id: 'reference' },
    none: 'tenant_id issuer created_at',
  },
  push_subscriptions: {
    about: 'visitor',
    kept: 'until the visit ends, or data_retention_days',
    personal: { endpoint: 'device', p256dh: 'device', auth: 'secret', locale: 'preference' },
    none: 'tenant_id ticket_id created_at',
  },
  queue_metrics: {
    about: 'staff',
    kept: 'for ever: by number only',
    personal: { key: 'reference' },
    none:
      'tenant_id queue_id date dimension site_id service_id arrivals total_customers called started services' +
      ' served no_shows abandoned expired returned transferred unfinished held within_goal promised' +
      ' within_promise inside_promise rated rating_sum wait_seconds walk_seconds service_seconds held_seconds' +
      ' abandoned_seconds promise_error_seconds promise_absolute_error_seconds max_wait_seconds waits' +
      ' service_times average_wait_time p50_wait_time p90_wait_time average_walk_time average_service_time' +
      ' p50_service_time p90_service_time average_held_time peak_hours goal_seconds aggregated_at',
  },
  queue_rule_versions: {
    about: 'staff',
    kept: 'for ever',
    personal: { published_by: 'reference', note: 'free_text' },
    none: 'tenant_id queue_id version rules published_at',
  },
  recovery_codes: {
    about: 'staff',
    kept: 'as long as they work here',
    personal: { user_id: 'reference', code_hash: 'secret' },
    none: '',
  },
  sessions: {
    about: 'staff',
    kept: 'until they end',
    personal: {
      user_id: 'reference',
      secret_hash: 'secret',
      address: 'device',
      user_agent: 'device',
      impersonator_id: 'reference',
      reason: 'free_text',
    },
    none:
      'id tenant_id scopes created_at expires_at revoked_at rotated_at kind refresh_id previous_refresh_id' +
      ' method proven_at ends_at seen_at',
  },
  tenant_metrics: {
    about: 'staff',
    kept: 'for ever: by number only',
    personal: { key: 'reference' },
    none:
      'tenant_id date service_id dimension arrivals total_customers called started services served no_shows' +
      ' abandoned expired returned transferred unfinished held within_goal promised within_promise' +
      ' inside_promise rated rating_sum wait_seconds walk_seconds service_seconds held_seconds abandoned_seconds' +
      ' promise_error_seconds promise_absolute_error_seconds max_wait_seconds wait_counts service_counts',
  },
  ticket_legs: {
    about: 'staff',
    kept: 'for ever: by number only',
    personal: { agent_id: 'reference' },
    none:
      'tenant_id ticket_id leg queue_id counter_id entered_at called_at started_at ended_at held_seconds' + ' ended_by',
  },
  ticket_links: {
    about: 'visitor',
    kept: 'data_retention_days',
    personal: { token_hash: 'secret' },
    none: 'tenant_id ticket_id created_at',
  },
  tickets: {
    about: 'visitor',
    kept: 'data_retention_days',
    personal: {
      customer_id: 'reference',
      sole_customer_id: 'reference',
      device_key: 'device',
      token_hash: 'secret',
      language: 'preference',
      note: 'free_text',
      labels: 'free_text',
      needs: 'free_text',
      fields: 'free_text',
      undo: 'free_text',
      rating_comment: 'free_text',
      agent_id: 'reference',
      reserved_agent_id: 'reference',
    },
    none:
      'tenant_id id site_id queue_id service_id day series_queue_id series_day serial number channel priority' +
      ' status rank counter_id reserved_counter_id outcome call_count delay_count held_seconds leg entered_at' +
      ' not_before called_at last_called_at started_at held_at ended_at created_at undo_until rating' +
      ' appointment_at is_placed required_skill rule_ids asked_priority wants_push rated_at',
  },
  users: {
    about: 'staff',
    kept: 'as long as they work here',
    personal: {
      id: 'reference',
      email: 'contact',
      name: 'identity',
      password_hash: 'secret',
      locale: 'preference',
      handle: 'reference',
    },
    none: 'is_active is_operator created_at updated_at email_verified_at',
  },
  webhook_attempts: {
    about: 'both',
    kept: 'as the log of deliveries',
    personal: { request_body: 'free_text', response_body: 'free_text' },
    none: 'tenant_id delivery_id attempt at duration_ms status_code error_code',
  },
  webhooks: {
    about: 'nobody',
    personal: { url: 'free_text', description: 'free_text', secret: 'secret', former_secret: 'secret' },
    none:
      'tenant_id id events site_id is_active disabled_reason former_secret_until since failures failing_since' +
      ' paused_until delivered_at created_at updated_at',
  },
}
