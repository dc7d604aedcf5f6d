export { deliver, useMail, type Mail } from './mail.ts'
export { operations } from './operations.ts'
