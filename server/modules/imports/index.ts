/** Tables that people bring from elsewhere, row by row through the operations that everybody uses. Nobody imports it. */
export { jobs } from './jobs.ts'
export { operations } from './operations.ts'
