/** Sends the link that confirms a booking. */
export const SEND_CONFIRMATION = 'appointments.send_confirmation'
