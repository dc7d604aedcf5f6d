/**
 * Of each setting on a screen of the console, a test that fails when the setting changes nothing: by file and title of the
 * test, the settings it shows.
 */
export const PROOFS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'server/kernel/limits/limits.test.ts': {
    'an organisation’s quota is data, and is told apart': 'tenants.requests_per_minute tenants.public_per_minute',
  },
  'server/modules/agents/agents.test.ts': {
    'sit at counters of their own site, one at each': 'counters.site_id agents.counter_id agents.site_id',
    'who is taken out of service goes offline, but not in the middle of a service': 'agents.is_active',
    'are created with the queues they serve': 'agents.queues.queue_id agents.queues.weight',
  },
  'server/modules/agents/work-profiles.test.ts': {
    'many agents work by one profile, and follow it when it changes': `workProfiles.call_mode workProfiles.max_wait_seconds workProfiles.skills workProfiles.languages
      workProfiles.queues.queue_id workProfiles.queues.weight agents.work_profile_id`,
    'a profile is of one site, has a name of its own there, and stays while somebody works by it':
      'workProfiles.site_id workProfiles.name',
  },
  'server/modules/analytics/scheduled/scheduled.test.ts': {
    'the week before comes by e-mail to each recipient, as PDF and table: %s': `scheduledReports.name scheduledReports.site_id scheduledReports.frequency scheduledReports.recipients
      scheduledReports.locale`,
    'only its own day brings a report, and one that is switched off none':
      'scheduledReports.day scheduledReports.is_active',
  },
  'server/modules/appointments/booking.test.ts': {
    '%s goes to one of 64 who want it at once': 'bookingSettings.resource bookingSettings.capacity',
    'overbooking takes so many more, without a counter': 'bookingSettings.overbooking_percent',
    'strangers book what is shown: on the grid, not too soon, not too far, within the quota': `bookingSettings.daily_quota bookingSettings.lead_seconds bookingSettings.horizon_days
      bookingSettings.queue_id bookingSettings.is_active`,
    'a person has as many future appointments as the queue says, wherever they are booked':
      'bookingSettings.max_per_customer',
    'keeps the place until it is over, and gives it back': 'bookingSettings.confirmation bookingSettings.hold_seconds',
    'staff approve what waits for it, and whoever stayed away too often':
      'bookingSettings.needs_approval bookingSettings.max_no_shows',
    'a visitor reads, moves and cancels the own appointment, in time': 'bookingSettings.cancel_until_seconds',
  },
  'server/modules/appointments/check-in.test.ts': {
    'by the own link only near the site, where the queue wants it':
      'sites.latitude sites.longitude bookingSettings.arrival_metres',
    'has a window: too early says how long, the late by rule':
      'bookingSettings.early_seconds bookingSettings.late_seconds bookingSettings.late_rule',
    'who is not there in time is absent, once, and the place is free again': 'bookingSettings.no_show_after_seconds',
    'are due once a rule and time, however many look': 'bookingSettings.reminder_minutes',
  },
  'server/modules/appointments/grid.test.ts': {
    'slots fill an interval and none reaches beyond its end': `bookingSettings.buffer_before_seconds bookingSettings.buffer_after_seconds
      bookingSettings.interval_seconds bookingSettings.duration_seconds`,
  },
  'server/modules/appointments/slots.test.ts': {
    'holidays and closures are closed with their reason, an exception opens': `sites.opening_hours.exceptions.date sites.opening_hours.exceptions.intervals
      sites.opening_hours.exceptions.reason sites.opening_hours.closures.from sites.opening_hours.closures.to
      sites.opening_hours.closures.reason sites.opening_hours.holidays.country
      sites.opening_hours.holidays.state`,
  },
  'server/modules/appointments/waiting-list.test.ts': {
    'a place that frees up is offered to the first who asked, then to the next, and to no stranger meanwhile':
      'bookingSettings.offer_seconds',
  },
  'server/modules/authentication/devices.test.ts': {
    'code, staff, token: a kiosk takes a ticket with what it was given':
      'devices.code devices.kind devices.site_id devices.name',
    'an expired code, a wrong one, a foreign site and a foreign display open nothing': 'devices.display_id',
    'locked it is refused and says so; unlocked it works again': 'devices.is_locked',
    'shown once, hashed at rest, limited to their scopes, seen when used': 'apiKeys.scopes',
    'revoked within five seconds, expired when it says, and never able to make another': 'apiKeys.expires_at',
    'a test key reads only': 'apiKeys.mode',
  },
  'server/modules/authentication/language.test.ts': {
    'in the language the person has set, whatever the browser asks for': 'users.locale',
  },
  'server/modules/authentication/people.test.ts': {
    'makes a new person a member, with a password of their own':
      'invitations.email invitations.site_ids invitations.queue_ids invitations.role',
  },
  'server/modules/authentication/sso/sso.test.ts': {
    'who comes first becomes a member with the role of their group, and is known again':
      'sso.issuer sso.client_id sso.client_secret sso.group_roles.group sso.group_roles.role',
    '%s is refused with %i: %s': 'sso.email_domains',
    'what is asked of the provider, which of its words are groups, the role of all others, and the switch count':
      'sso.scope sso.groups_claim sso.default_role sso.is_active',
  },
  'server/modules/authentication/users.test.ts': {
    'an administrator adds a user who can sign in': 'users.email users.name users.site_ids',
    'a new password or role ends the sessions': 'users.password users.role users.is_active',
  },
  'server/modules/displays/displays.test.ts': {
    'name, colour and picture of the house are on its screens; a picture that is not there, or is another’s, is none':
      'tenants.logo_media_id',
    'a display shows queues of its own site only':
      'displays.site_id displays.name displays.queue_ids displays.is_active',
    'a playlist has an order, hours and days; a display shows what of it was uploaded, as its site’s screen':
      'displays.playlist_id playlists.items.list.media_id playlists.is_active',
  },
  'server/modules/displays/link.test.ts': {
    'the PIN of a machine’s staff page opens there alone and is told to nobody': 'kiosks.pin',
  },
  'server/modules/displays/voice/voice.test.ts': {
    'are no more than the organisation may keep; what people have recorded stays': 'tenants.voice_megabytes',
    'a call is spoken in the display’s languages, once rendered, whole and by range': 'displays.settings.languages',
  },
  'server/modules/notifications/messages.test.ts': {
    'nothing delivered in time: the next channel, once; delivered: none': 'notificationRules.escalate_after_seconds',
    'away for ten minutes, then drained: nobody hears late of a call, everybody else is told':
      'notificationRules.valid_seconds',
  },
  'server/modules/notifications/rules/rules.test.ts': {
    'minutes left, as they pass without an event, once': 'notificationRules.event notificationRules.threshold',
    'a transfer, and every request for time':
      'notificationRules.queue_id notificationRules.channels notificationRules.is_active',
  },
  'server/modules/notifications/templates/templates.test.ts': {
    'take the place of the program’s, for one event, channel and language':
      'templates.event templates.channel templates.language templates.body templates.subject',
  },
  'server/modules/notifications/visitor.test.ts': {
    'messages are forgotten after the organisation’s days, by its own midnight; what is under way and STOP stay':
      'tenants.message_retention_days',
  },
  'server/modules/privacy/privacy.test.ts': {
    'every night who was here too long ago is forgotten, to the organisation’s own midnight, and visits stay':
      'tenants.data_retention_days',
  },
  'server/modules/queues/queues.test.ts': {
    'hours and capacity show in the state': 'sites.opening_hours.weekly queues.max_capacity',
    'a new queue takes the letter of its service and says its state': 'queues.number_prefix',
  },
  'server/modules/queues/ranking.test.ts': {
    '%s: nobody is overtaken by who came more than a bound later': 'queues.algorithm_settings.boost_seconds',
    'sla calls by deadline': 'queues.algorithm_settings.targets_seconds',
    'fair shares are called in their ratio within one ticket; control: first come, first served is not':
      'queues.algorithm_settings.shares',
    'booked people stand where their time is, however early they come; the late by rule': `queues.algorithm_settings.lead_seconds queues.algorithm_settings.late_after_seconds
      queues.algorithm_settings.late queues.algorithm_settings.penalty_seconds`,
  },
  'server/modules/queues/rules/engine.test.ts': {
    '%o on %o: %s': `queueRules.condition.service_ids queueRules.condition.channels queueRules.condition.languages
      queueRules.condition.customer_labels queueRules.condition.hours.from queueRules.condition.hours.to
      queueRules.condition.hours.weekdays queueRules.condition.appointment
      queueRules.condition.wait_over_seconds queueRules.condition.queue_length_over`,
  },
  'server/modules/settings.test.ts': {
    'a site: what visitors read of it, whose clock its hours follow, and whether it is there at all': `sites.name sites.slug sites.address sites.timezone sites.is_active sites.opening_hours.holidays.region`,
    'a service: its names and letter, and whether it is offered':
      'services.name services.names services.code services.is_active',
    'a counter: its name and the way to it are told, and one that is closed is nobody’s':
      'counters.name counters.hint counters.is_active',
    'a queue: where it is, what it is called, whether it takes people, and whose shares it divides': `queues.site_id queues.service_id queues.name queues.is_active queues.algorithm_settings.share_by`,
    'a queue’s goal: the share of people decides whether it was missed': 'queues.goal_percent queues.goal_seconds',
    'an agent: whose desk it is, and under which name': 'agents.user_id agents.name',
    'somebody who is limited to a queue sees no other': 'users.queue_ids',
    'an organisation: its name is on every page, its zone and language are a new site’s and its visitors’':
      'tenants.name tenants.timezone tenants.locale',
    'what only names a thing is read where the things are':
      'webhooks.description kiosks.name playlists.name apiKeys.name',
  },
  'server/modules/media/media.test.ts': {
    'what is more than the organisation may keep is refused, in words, and leaves nothing behind':
      'tenants.media_megabytes',
  },
  'server/modules/tenants/quotas.test.ts': {
    'nobody is refused at the door for the day’s quota; administrators are told once': 'tenants.tickets_per_day',
    'one connection more than the quota is refused; another organisation’s are not counted': 'tenants.sockets',
  },
  'server/modules/tenants/tenants.test.ts': {
    'an operator creates an organisation that can be worked in at once': 'tenants.slug',
  },
  'server/modules/tickets/assign.test.ts': {
    'a strict agent takes the heaviest queue first, and everybody first who waited longer than the limit':
      'agents.max_wait_seconds',
  },
  'server/modules/tickets/call-next.test.ts': {
    'where no arrival is confirmed, the call starts the service': 'queues.confirm_arrival',
  },
  'server/modules/tickets/explain.test.ts': {
    'names the rule that took effect, and nothing for who does not wait': 'queueRules.name',
  },
  'server/modules/tickets/live/refresh.test.ts': {
    'a changed duration of the service holds until something was measured': 'services.expected_duration_seconds',
  },
  'server/modules/tickets/offline/offline.test.ts': {
    'K4 what a machine holds is nobody else’s, is given in the order and at the time it was taken, and only once':
      'kiosks.settings.offline_numbers',
  },
  'server/modules/tickets/order.test.ts': {
    'call next honours skills, languages and ratios': 'agents.skills agents.languages agents.call_mode',
  },
  'server/modules/tickets/queue-rules.test.ts': {
    'refused with the reason in the own language, sent to another queue, asked for a skill, told to somebody': `queueRules.queue_id queueRules.position queueRules.effect.refuse.reason queueRules.effect.queue_id
      queueRules.effect.required_skill queueRules.effect.notify.role queueRules.effect.notify.message
      queueRules.is_active`,
    'a draft does nothing until it is published': 'queueRules.effect.priority',
  },
  'server/modules/tickets/take.test.ts': {
    'the priority algorithm puts a higher class first, and the answer says who is ahead': 'queues.algorithm',
    'a series begins again as far as its numbers are free, and then there are none':
      'queues.number_first queues.number_last',
    'each queue and each day has its own series; one that never resets goes on': 'queues.number_reset',
    'a device and a person have one live ticket for a service, wherever they ask': 'queues.one_ticket_per_device',
  },
  'server/modules/tickets/transitions.test.ts': {
    'who does not come in the queue’s time is marked absent by the program': 'queues.no_show_after_seconds',
    'yesterday’s tickets end tonight where the site is, unless the queue carries over': 'queues.carry_over',
  },
  'server/modules/tickets/verbs.test.ts': {
    'completion asks for the answers the service requires': 'services.required_fields',
    'a recall keeps the least gap and the limit': 'queues.max_recalls queues.recall_gap_seconds',
    'letting others pass costs places and budget, and never gains': 'queues.delay_budget',
  },
  'server/modules/webhooks/webhooks.test.ts': {
    'what was sent and answered can be read, sent again alone, by event and by time':
      'webhooks.url webhooks.events webhooks.site_id',
    'whoever is gone is told nothing more, and the administrators are told so in their language': 'webhooks.is_active',
  },
  'server/transports/cli/developer/developer.test.ts': {
    'a test key changes nothing outside a sandbox': 'tenants.is_sandbox',
  },
  'web/apps/display/model.test.ts': {
    'as many rows as the house wants, never more than can be read from afar':
      'displays.settings.layout displays.settings.max_calls',
    'chime and voice are as loud as the house wants, each may be silent':
      'displays.settings.chime displays.settings.voice displays.settings.volume_percent',
    'at %s with silence %o the volume is %s': 'displays.settings.quiet_hours.from displays.settings.quiet_hours.until',
    'hours may have a volume of their own, but silence is silent': `displays.settings.volume_hours.from
      displays.settings.volume_hours.until displays.settings.volume_hours.volume_percent`,
    'pictures and films take turns by the clock, at their days and hours of the site': `playlists.items.list.seconds playlists.items.list.weekdays playlists.items.list.from
      playlists.items.list.until`,
  },
  'web/test/admin.test.ts': {
    'T4 a colour that cannot be read cannot be saved; the nearest that can is offered and reaches visitors':
      'tenants.brand_colour',
  },
  'web/test/display.test.ts': {
    'D3 X1 X2 sizes and contrast for six metres; twelve calls and three languages fit':
      'displays.settings.theme displays.settings.show_wait displays.settings.message',
  },
  'web/test/kiosk.test.ts': {
    'what is changed in the console shows on the machine at its next look': `kiosks.site_id kiosks.queue_ids kiosks.settings.shows_qr kiosks.settings.show_wait
      kiosks.settings.asks_phone kiosks.is_active devices.kiosk_id`,
    'K1 X6 X9 X10 two taps from the welcome to a number, which is printed and opens on a phone':
      'kiosks.settings.prints',
    'K2 in access mode everything pressed is low, large and reached by three keys, and each focus is spoken':
      'kiosks.settings.dots_per_inch',
    'K3 who goes away is asked for 20 seconds, may stay as often as wanted, and leaves nothing behind':
      'kiosks.settings.idle_seconds kiosks.settings.languages',
    'K7 an Arabic ticket is printed as a picture, with its letters joined and in order': 'kiosks.settings.printer',
    'K5 K7 the printer says that paper is out, or nothing at all: code and number stand in, and supervisors hear':
      'kiosks.settings.paper_width_mm kiosks.settings.baud_rate',
  },
  'web/test/visitor.test.ts': {
    'V13 where numbers are given on the spot: too far, refused and near each say what comes next':
      'sites.presence_radius_metres',
    'V7 who missed the call comes back to the second place; too late, a new number for the same service':
      'queues.grace_seconds',
    'a flood’s puzzle is solved by the phone by itself; without scripts the page says where else to go':
      'tenants.take_challenge',
  },
}
