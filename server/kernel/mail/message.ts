/** A message in plain text: nothing in it is executed, loaded or tracked. */
export interface Mail {
  to: string
  subject: string
  text: string
  /** Names the message: sent again, it is the same one to whoever compares, and it stands in the outbox once. */
  key?: string
  attachments?: readonly Attachment[]
}
export interface Attachment {
  filename: string
  contentType: string
  content: Buffer
}
