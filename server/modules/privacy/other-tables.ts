import type { Registered } from './classes.ts'

/** Tables that hold nothing of a person. */
export const OTHER_TABLES: Readonly<Record<string, Registered>> = {
  api_requests: {
    about: 'nobody',
    none: 'tenant_id id at api_key_id request_id operation method route status duration_ms',
  },
  appointment_reminders: {
    about: 'nobody',
    none: 'tenant_id appointment_id minutes start_at created_at',
  },
  ar_markers: {
    about: 'nobody',
    none:
      'tenant_id id site_id queue_id name kind latitude longitude altitude_metres floor heading_degrees code marker_data' +
      ' is_active created_at updated_at',
  },
  archive_files: {
    about: 'nobody',
    none: 'tenant_id name row_count bytes sha256 archived_at kept_until',
  },
  audit_heads: {
    about: 'nobody',
    none: 'tenant_id seq link',
  },
  backup_runs: {
    about: 'nobody',
    none: 'name kind at duration_seconds row_count verified_at is_well',
  },
  booking_settings: {
    about: 'nobody',
    none:
      'tenant_id id queue_id is_active duration_seconds buffer_before_seconds buffer_after_seconds' +
      ' interval_seconds resource capacity overbooking_percent daily_quota lead_seconds horizon_days' +
      ' max_per_customer confirmation hold_seconds needs_approval max_no_shows early_seconds late_seconds' +
      ' late_rule no_show_after_seconds cancel_until_seconds reminder_minutes created_at updated_at' +
      ' offer_seconds arrival_metres',
  },
  counters: {
    about: 'nobody',
    none: 'tenant_id id site_id name hint is_active created_at updated_at',
  },
  job_workers: {
    about: 'nobody',
    none: 'id beat_at',
  },
  kiosks: {
    about: 'nobody',
    none: 'tenant_id id site_id name queue_ids settings is_active created_at updated_at staff_pin_mac has_staff_pin pin_failures pin_locked_until',
  },
  message_prices: {
    about: 'nobody',
    none: 'tenant_id channel price_micros currency updated_at',
  },
  message_templates: {
    about: 'nobody',
    none: 'tenant_id id event channel language subject body created_at updated_at',
  },
  nightly_runs: {
    about: 'nobody',
    none: 'tenant_id task day',
  },
  notification_cursors: {
    about: 'nobody',
    none: 'tenant_id site_id epoch offset at',
  },
  notification_rules: {
    about: 'nobody',
    none:
      'tenant_id id queue_id event threshold channels escalate_after_seconds valid_seconds is_active created_at' +
      ' updated_at',
  },
  number_blocks: {
    about: 'nobody',
    none: 'tenant_id id queue_id device_id day first_serial numbers leased_at starts_at expires_at',
  },
  sandbox_clocks: {
    about: 'nobody',
    none: 'tenant_id ahead_seconds',
  },
  search_changes: {
    about: 'nobody',
    none: 'tenant_id id kind entity_id',
  },
  search_cursors: {
    about: 'nobody',
    none: 'tenant_id site_id epoch offset at',
  },
  platform_notices: {
    about: 'nobody',
    none: 'id level texts surfaces starts_at ended_at',
  },
  playlists: {
    about: 'nobody',
    none: 'tenant_id id name items is_active created_at updated_at',
  },
  queue_days: {
    about: 'nobody',
    none: 'tenant_id queue_id day issued issued_before last_arrival_at reserved',
  },
  queue_rules: {
    about: 'nobody',
    none: 'tenant_id id queue_id position name condition effect is_active created_at updated_at',
  },
  queue_shares: {
    about: 'nobody',
    none: 'tenant_id queue_id share finish',
  },
  queue_states: {
    about: 'nobody',
    none: 'tenant_id queue_id status service_seconds measured_seconds samples measured_offset measured_at forecast',
  },
  queues: {
    about: 'nobody',
    none:
      'tenant_id id site_id service_id name algorithm max_capacity is_active number_prefix number_first' +
      ' number_last number_reset confirm_arrival max_recalls recall_gap_seconds no_show_after_seconds' +
      ' grace_seconds delay_budget carry_over one_ticket_per_device created_at updated_at algorithm_settings' +
      ' goal_seconds goal_percent',
  },
  quiet_hours: {
    about: 'nobody',
    none: 'tenant_id site_id starts ends',
  },
  quota_notices: {
    about: 'nobody',
    none: 'tenant_id quota day noticed_at',
  },
  schema_migrations: {
    about: 'nobody',
    none: 'version name kind checksum applied_at',
  },
  services: {
    about: 'nobody',
    none:
      'tenant_id id name names code colour shape expected_duration_seconds required_fields is_active created_at' +
      ' updated_at',
  },
  site_predictors: {
    about: 'nobody',
    none: 'tenant_id site_id epoch offset state updated_at at',
  },
  sites: {
    about: 'nobody',
    none:
      'tenant_id id name slug address latitude longitude timezone opening_hours is_active created_at updated_at' +
      ' presence_radius_metres',
  },
  streams: {
    about: 'nobody',
    none: 'tenant_id site_id epoch last_offset',
  },
  tenant_quotas: {
    about: 'nobody',
    none: 'tenant_id quota amount',
  },
  tenants: {
    about: 'nobody',
    none:
      'id slug name plan locale timezone data_retention_days is_active created_at updated_at take_challenge' +
      ' message_retention_days is_sandbox brand_colour logo_media_id languages suspended_reason switched_off',
  },
  ticket_estimates: {
    about: 'nobody',
    none: 'tenant_id ticket_id queue_id at low_seconds median_seconds high_seconds waited_seconds',
  },
  tomorrow_offers: {
    about: 'nobody',
    none:
      'tenant_id ticket_id site_id queue_id day place status offered_at expires_at answered_at appointment_id' +
      ' new_ticket_id',
  },
  used_tokens: {
    about: 'nobody',
    none: 'id expires_at',
  },
  voice_clips: {
    about: 'nobody',
    none: 'tenant_id language word type sha256 bytes updated_at',
  },
  webhook_cursors: {
    about: 'nobody',
    none: 'tenant_id site_id epoch offset at',
  },
  webhook_deliveries: {
    about: 'nobody',
    none:
      'tenant_id id webhook_id site_id epoch offset type status attempt step due_at status_code error_code' +
      ' created_at delivered_at event_at',
  },
  work_profile_queues: {
    about: 'nobody',
    none: 'tenant_id work_profile_id queue_id weight',
  },
  work_profiles: {
    about: 'nobody',
    none: 'tenant_id id site_id name call_mode max_wait_seconds skills languages created_at updated_at',
  },
}
