import type { Operation } from '../../kernel/operation.ts'
import { create } from './create.ts'
import { get, update } from './own.ts'

export { createTenant } from './create.ts'
export { tenantDirectory, type TenantDirectory } from './directory.ts'
export { TenantEntity } from './schema.ts'

export const operations: readonly Operation[] = [create, get, update]
