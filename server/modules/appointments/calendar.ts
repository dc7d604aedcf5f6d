import ical, { ICalCalendarMethod, ICalEventStatus, type ICalCalendar } from 'ical-generator'
import { translate } from '../../kernel/i18n.ts'
import type { Context, Tenant } from '../../kernel/operation.ts'
import type { Locale } from '../../kernel/schema.ts'

/** What a calendar says of an appointment. */
export interface Entry {
  id: number
  status: string
  start_at: string
  end_at: string
  updated_at: string
  sequence: number
  code: string
  language: Locale | null
  site_name: string
  address: string
  timezone: string
  service_name: string
  service_names: Partial<Record<Locale, string>>
}

export const ENTRIES = `
  select a.id, a.status, a.start_at, a.end_at, a.updated_at, a.sequence, a.code, a.language, s.name as site_name, s.address,
    s.timezone, v.name as service_name, v.names as service_names
  from appointments a
  join sites s on s.tenant_id = a.tenant_id and s.id = a.site_id
  join services v on v.tenant_id = a.tenant_id and v.id = a.service_id`

const PRODUCT = { company: 'SmartQueue', product: 'Appointments' }

/** No part of the installation's address: the UID stays when that changes. */
export const uidOf = (tenant: Tenant, id: number) => `appointment-${tenant.id}-${id}@smartqueue`

/** One appointment as a calendar server keeps it, which refuses a METHOD (RFC 4791 §4.1). */
export function resourceOf(tenant: Tenant, entry: Entry): string {
  const calendar = ical({ prodId: PRODUCT })
  addEntry({ tenant, locale: tenant.locale }, calendar, entry)
  return calendar.toString()
}

/**
 * Appointments as iCalendar (RFC 5545). Times are UTC, which every client shows in its reader's zone; the text says the
 * site's time with its zone. A move keeps the UID and raises SEQUENCE, a cancelled one says so.
 */
export function calendarOf(ctx: Context, name: string, entries: readonly Entry[]): string {
  const calendar = ical({
    name,
    prodId: PRODUCT,
    method: ICalCalendarMethod.PUBLISH,
  })
  for (const entry of entries) addEntry(ctx, calendar, entry)
  return calendar.toString()
}

function addEntry({ tenant, locale }: Pick<Context, 'tenant' | 'locale'>, calendar: ICalCalendar, entry: Entry): void {
  const language = entry.language ?? locale
  const time = Temporal.Instant.from(entry.start_at)
    .toZonedDateTimeISO(entry.timezone)
    .toPlainDateTime()
    .toString({ smallestUnit: 'minute' })
    .replace('T', ' ')
  const details = { time, zone: entry.timezone, code: entry.code }
  calendar.createEvent({
    id: uidOf(tenant, entry.id),
    start: new Date(entry.start_at),
    end: new Date(entry.end_at),
    stamp: new Date(entry.updated_at),
    lastModified: new Date(entry.updated_at),
    sequence: entry.sequence,
    summary: entry.service_names[language] ?? entry.service_name,
    description: translate(language, 'calendar.details', details, tenant.locale),
    location: [entry.site_name, entry.address].filter(Boolean).join(', '),
    status: statusOf(entry.status),
  })
}

function statusOf(status: string): ICalEventStatus {
  if (status === 'held' || status === 'pending') return ICalEventStatus.TENTATIVE
  return status === 'cancelled' || status === 'expired' ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED
}
