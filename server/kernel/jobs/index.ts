export { eachSite, eachTenant } from './each-tenant.ts'
export type { Job, JobContext } from './job.ts'
export { operations } from './operations.ts'
export { startWorker } from './worker.ts'
