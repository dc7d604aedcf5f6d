import Type from 'typebox'
import { BOARD_WINDOW, type Board } from '../../../../shared/board.ts'
import { FORECAST_REASONS } from '../../../../shared/eta.ts'
import { RECENT_CALLS, type AgentView, type Display, type TicketView } from '../../../../shared/views.ts'
import { Closed, Enum, Id, Nullable, Time } from '../../../kernel/schema.ts'
import { AGENT_STATUSES } from '../../../../shared/ticket-status.ts'
import { pick } from '../pick.ts'
import { QueueStatus } from '../../queues/index.ts'
import { Ticket } from '../schema.ts'
import { BOARD_FIELDS } from './sql.ts'
import { VISITOR_TICKET } from './visitor.ts'

/** The shapes of shared/board.ts and shared/views.ts as they leave. */
const place = {
  epoch: Type.String({ description: 'Changes when offsets stop being comparable' }),
  offset: Type.Integer({ minimum: 0, description: 'Of the last event that this view includes' }),
}
const estimate = pick(Ticket.properties, ['eta_seconds', 'eta_low_seconds', 'eta_high_seconds'])
const BoardTicket = Closed(pick(Ticket.properties, Object.keys(BOARD_FIELDS) as (keyof typeof BOARD_FIELDS)[]))
const WaitingTicket = Closed({ ...BoardTicket.properties, position: Type.Integer({ minimum: 1 }), ...estimate })
const ServiceSeconds = Nullable(Type.Integer({ description: 'Mean time a service takes at present' }))

const Seconds = Type.Integer({ minimum: 0 })
const ForecastOutput = Nullable(
  Closed({
    agents_open: Type.Integer({ minimum: 0 }),
    reason: Nullable(Enum(FORECAST_REASONS)),
    points: Type.Array(Type.Array(Seconds, { minItems: 4, maxItems: 4 }), {
      description: 'Tickets ahead, then low, median and high wait in seconds',
    }),
  }),
)

const BoardQueue = Closed({ id: Id, name: Type.String(), status: QueueStatus })
const QueueSummary = Closed({
  ...BoardQueue.properties,
  waiting_count: Type.Integer({ minimum: 0 }),
  service_seconds: ServiceSeconds,
  forecast: ForecastOutput,
})
const BoardAgent = Closed({
  id: Id,
  name: Type.String(),
  status: Enum(AGENT_STATUSES),
  counter_id: Nullable(Id),
  counter_name: Nullable(Type.String()),
  queue_ids: Type.Array(Id),
})

export const BoardOutput = Type.Unsafe<Board>(
  Closed({
    ...place,
    queue: BoardQueue,
    service_seconds: ServiceSeconds,
    forecast: ForecastOutput,
    agents: Type.Array(BoardAgent),
    called: Type.Array(BoardTicket),
    held: Type.Array(BoardTicket),
    waiting_count: Type.Integer({ minimum: 0, description: 'How many wait in all' }),
    waiting: Type.Array(WaitingTicket, { maxItems: BOARD_WINDOW.most, description: 'The first of those who wait' }),
  }),
)

export const DisplayOutput = Type.Unsafe<Display>(
  Closed({
    ...place,
    display: Closed({ id: Id, name: Type.String(), queue_ids: Type.Array(Id) }),
    queues: Type.Array(QueueSummary),
    agents: Type.Array(BoardAgent),
    called: Type.Array(BoardTicket),
    recent: Type.Array(
      Closed({
        ticket_id: Id,
        queue_id: Id,
        number: Type.String(),
        counter_name: Nullable(Type.String()),
        at: Time,
      }),
      { maxItems: RECENT_CALLS },
    ),
  }),
)

export const AgentViewOutput = Type.Unsafe<AgentView>(
  Closed({
    ...place,
    agent: BoardAgent,
    ticket: Nullable(BoardTicket),
    held: Type.Array(BoardTicket),
    queues: Type.Array(QueueSummary),
    desk: Nullable(Type.String({ description: 'The window that works at this desk; others watch' })),
  }),
)

export const TicketViewOutput = Type.Unsafe<TicketView>(
  Closed({
    ...place,
    ticket: Closed({
      ...pick(Ticket.properties, VISITOR_TICKET),
      ...estimate,
      position: Nullable(Type.Integer()),
      ahead: Nullable(Type.Integer()),
    }),
  }),
)
