export { deliver, keep, useMail } from './mail.ts'
export { operations } from './operations.ts'
export type { Attachment } from './message.ts'
