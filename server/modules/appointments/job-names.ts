/** Sends the link that confirms a booking. */
export const SEND_CONFIRMATION = 'appointments.send_confirmation'
/** Sends the link that confirms a request on the waiting list. */
export const CONFIRM_WAITER = 'appointments.confirm_waiter'
/** Offers the free places of a site to who waits for one. */
export const OFFER_PLACES = 'appointments.offer_places'
/** Makes a calendar elsewhere and the appointments alike. */
export const SYNC_CALENDAR = 'appointments.sync_calendar'
