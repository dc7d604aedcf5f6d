import type { Operation } from '../../kernel/operation.ts'
import { backupOperations } from './backups.ts'
import { create } from './create.ts'
import { get, update } from './own.ts'
import { noticeOperations } from './notices.ts'
import { platformOperations } from './platform.ts'
import { quotaJobs, quotaOperations } from './quotas.ts'

export { createTenant } from './create.ts'
export { tenantDirectory, type TenantDirectory } from './directory.ts'
export { checkRoom } from './storage-quotas.ts'
export { TenantEntity } from './schema.ts'

export const jobs = quotaJobs
export const operations: readonly Operation[] = [
  create,
  get,
  update,
  ...quotaOperations,
  ...platformOperations,
  ...noticeOperations,
  ...backupOperations,
]
