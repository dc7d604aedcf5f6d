/** A browser that lets itself be woken. */
export interface PushSubscription {
  endpoint: string
  p256dh: string
  auth: string
}
export interface VapidKeys {
  publicKey: string
  privateKey: string
  subject: string
}
