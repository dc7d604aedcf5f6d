import type { Operation } from '../../kernel/operation.ts'
import { agentOperations } from './agent.ts'
import { setStatus } from './set-status.ts'

export { Agent } from './agent.ts'
export { mayActAs } from './permission.ts'
export {
  AGENT_FACE,
  agentState,
  agentStates,
  setAgentStatus,
  setAgentStatuses,
  type AgentFace,
  type AgentState,
} from './state.ts'

export const operations: readonly Operation[] = [...agentOperations, setStatus]
