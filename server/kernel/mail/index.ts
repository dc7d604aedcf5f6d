export { deliver, useMail } from './mail.ts'
export { operations } from './operations.ts'
