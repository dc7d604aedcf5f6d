import { STAFF } from '../../../kernel/access.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Id } from '../../../kernel/schema.ts'
import { mayWatch } from '../../agents/index.ts'
import { placeOfQueue } from '../../queues/index.ts'
import { AgentViewOutput, BoardOutput, DisplayOutput } from './schema.ts'
import { agentBoard, displayBoard, queueBoard } from './views.ts'

const byId = { input: Closed({ id: Id }), example: { input: { id: 1 } } }

export const getQueueBoard = operation({
  ...byId,
  id: 'queues.board',
  kind: 'query',
  summary: 'A queue as it stands, and the offset to follow it from',
  scope: 'read:queue',
  roles: STAFF,
  http: { method: 'GET', path: '/queues/{id}/board/' },
  output: BoardOutput,
  kept: { place: (ctx, { id }) => placeOfQueue(ctx, id), isShared: true },
  run: (ctx, { id }) => queueBoard(ctx.tx, id),
})

export const getDisplayBoard = operation({
  ...byId,
  id: 'displays.board',
  kind: 'query',
  summary: 'What a display shows, and the offset to follow it from',
  scope: 'read:display',
  roles: [...STAFF, 'display'],
  http: { method: 'GET', path: '/displays/{id}/board/' },
  output: DisplayOutput,
  kept: {
    isShared: true,
    async place(ctx, { id }) {
      const row = await ctx.tx.maybe<{ site_id: number }>('select site_id from displays where id = $1', [id])
      return row && { siteId: row.site_id }
    },
  },
  run: (ctx, { id }) => displayBoard(ctx.tx, id),
})

export const getAgentBoard = operation({
  ...byId,
  id: 'agents.board',
  kind: 'query',
  summary: 'An agent’s desk as it stands, and the offset to follow it from',
  scope: 'read:agent',
  roles: STAFF,
  http: { method: 'GET', path: '/agents/{id}/board/' },
  output: AgentViewOutput,
  async run(ctx, { id }) {
    await mayWatch(ctx.tx, ctx.actor, id)
    return agentBoard(ctx.tx, id)
  },
})
