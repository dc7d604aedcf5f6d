/** Appointments: slots, booking, and check-in to a ticket. */
import type { Operation } from '../../kernel/operation.ts'
import type { Job } from '../../kernel/jobs/index.ts'
import { agentHours } from './agent-hours.ts'
import { book } from './book.ts'
import { bookingPage } from './booking-page.ts'
import { applyChange } from './caldav/apply.ts'
import { linkOperations } from './caldav/links.ts'
import { calendarJobs } from './caldav/sync.ts'
import { calendarOperations } from './calendars.ts'
import { jobs as ownJobs } from './jobs.ts'
import { offerPlaces } from './offers.ts'
import { get, list } from './read.ts'
import { seriesOperations } from './series.ts'
import { settings } from './settings.ts'
import { bookSeveral } from './several.ts'
import { slots } from './slots.ts'
import { staffOperations } from './staff.ts'
import { sendReminders, sweep } from './sweep.ts'
import { visitorOperations } from './visitor.ts'
import { waitingListOperations } from './waiting-list.ts'

export const jobs: readonly Job[] = [...ownJobs, ...calendarJobs]
export { TAKEN_TWICE } from './book.ts'
export { newLink } from './links.ts'
export { bookOnDay } from './on-day.ts'

export const operations: readonly Operation[] = [
  ...settings.operations,
  ...agentHours.operations,
  bookingPage,
  slots,
  book,
  list,
  get,
  ...staffOperations,
  ...visitorOperations,
  ...seriesOperations,
  bookSeveral,
  ...calendarOperations,
  ...linkOperations,
  applyChange,
  ...waitingListOperations,
  offerPlaces,
  sweep,
  sendReminders,
]
