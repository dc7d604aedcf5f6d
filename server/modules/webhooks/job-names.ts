/** Tells the administrators that an endpoint was disabled. */
export const SEND_NOTICE = 'webhooks.send_notice'
