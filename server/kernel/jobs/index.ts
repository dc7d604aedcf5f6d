export type { Job, JobContext } from './job.ts'
export { startWorker } from './worker.ts'
