import type { Job } from '../../kernel/jobs/index.ts'
import type { Operation } from '../../kernel/operation.ts'
import { agentOperations } from './agent.ts'
import { heartbeat, presenceJob, reportPresence, sweepPresence } from './presence.ts'
import { setStatus } from './set-status.ts'
import { takeDesk } from './take-desk.ts'
import { workProfileOperations } from './work-profiles.ts'

export { edges } from './graphql.ts'
export { Agent } from './agent.ts'
export { reportPresence, sweepSilent } from './presence.ts'
export { mayActAs, mayWatch } from './permission.ts'
export {
  AGENT_FACE,
  agentState,
  agentStates,
  setAgentStatus,
  setAgentStatuses,
  type AgentFace,
  type AgentState,
} from './state.ts'

export const operations: readonly Operation[] = [
  ...agentOperations,
  setStatus,
  takeDesk,
  heartbeat,
  reportPresence,
  sweepPresence,
  ...workProfileOperations,
]
export const jobs: readonly Job[] = [presenceJob]
