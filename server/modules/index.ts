/** The registry: all that SmartQueue can do. Transports, documents and registry-wide tests loop over it. */
import type { Edge } from '../kernel/edge.ts'
import type { Feed } from '../kernel/feed.ts'
import * as audit from '../kernel/audit/index.ts'
import * as expireKeys from '../kernel/expire-keys.ts'
import * as limits from '../kernel/limits/index.ts'
import type { Job } from '../kernel/jobs/index.ts'
import * as background from '../kernel/jobs/index.ts'
import * as mail from '../kernel/mail/index.ts'
import { checkMatrix } from '../kernel/matrix.ts'
import type { Operation } from '../kernel/operation.ts'
import * as agents from './agents/index.ts'
import * as analytics from './analytics/index.ts'
import * as appointments from './appointments/index.ts'
import * as archive from './archive/index.ts'
import * as ar from './ar/index.ts'
import * as authentication from './authentication/index.ts'
import * as customers from './customers/index.ts'
import * as displays from './displays/index.ts'
import * as estimates from './estimates/index.ts'
import * as imports from './imports/index.ts'
import * as media from './media/index.ts'
import * as notifications from './notifications/index.ts'
import * as privacy from './privacy/index.ts'
import * as queues from './queues/index.ts'
import * as requests from './requests/index.ts'
import * as sandbox from './sandbox/index.ts'
import * as search from './search/index.ts'
import * as setup from './setup/index.ts'
import * as sites from './sites/index.ts'
import * as staffing from './staffing/index.ts'
import * as tenants from './tenants/index.ts'
import * as tickets from './tickets/index.ts'
import * as webhooks from './webhooks/index.ts'

interface Module {
  operations: readonly Operation[]
  feeds?: readonly Feed[]
  jobs?: readonly Job[]
  edges?: readonly Edge[]
}
const modules: readonly Module[] = [
  tenants,
  authentication,
  media,
  sites,
  customers,
  queues,
  agents,
  tickets,
  estimates,
  staffing,
  appointments,
  displays,
  setup,
  ar,
  sandbox,
  requests,
  notifications,
  analytics,
  imports,
  webhooks,
  search,
  privacy,
  archive,
  audit,
  mail,
  background,
  limits,
  expireKeys,
]

export const operations: readonly Operation[] = modules.flatMap((module) => module.operations)
export const operationById: ReadonlyMap<string, Operation> = new Map(operations.map((op) => [op.id, op]))
export const feeds: readonly Feed[] = modules.flatMap((module) => module.feeds ?? [])
// Whoever loads the registry, a server or a command, does not start with a matrix that is not sound.
checkMatrix(operations, feeds)
export const jobs: readonly Job[] = modules.flatMap((module) => module.jobs ?? [])
export const edges: readonly Edge[] = modules.flatMap((module) => module.edges ?? [])
