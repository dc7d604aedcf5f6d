import type { TicketStatusName } from './ticket-status.ts'

/** What screens know beside the stored states: a booked slot, and a ticket that another line took over. */
export type StateName = TicketStatusName | 'booked' | 'transferred'
/** Colours of a state: `--st-<token>` on `--st-<token>-bg`. */
type StateToken = 'waiting' | 'called' | 'serving' | 'parked' | 'transferred' | 'noshow' | 'cancelled' | 'done'
type StateIcon = 'clock' | 'bell' | 'person' | 'pause' | 'arrows' | 'missed' | 'cross' | 'check' | 'calendar'
type VisitorAct = 'notify' | 'delay' | 'leave' | 'on_my_way' | 'here' | 'undo' | 'take_new' | 'rate' | 'erase'
type AgentAct =
  | 'call'
  | 'move'
  | 'transfer'
  | 'note'
  | 'cancel'
  | 'start'
  | 'recall'
  | 'no_show'
  | 'return'
  | 'complete'
  | 'hold'
  | 'resume'
  | 'undo'
  | 'check_in'

interface State {
  /** Key of the label in the message catalogues. */
  label: `ticket_status.${TicketStatusName}` | 'ui.booked' | 'ui.transferred'
  token: StateToken
  icon: StateIcon
  visitor: readonly VisitorAct[]
  agent: readonly AgentAct[]
}

/** One table for every surface: label, colour, icon, and who may do what. Server rules still decide each act. */
export const STATES: Readonly<Record<StateName, State>> = {
  booked: {
    label: 'ui.booked',
    token: 'waiting',
    icon: 'calendar',
    visitor: ['leave'],
    agent: ['check_in', 'cancel', 'move'],
  },
  waiting: {
    label: 'ticket_status.waiting',
    token: 'waiting',
    icon: 'clock',
    visitor: ['notify', 'delay', 'leave'],
    agent: ['call', 'move', 'transfer', 'note', 'cancel'],
  },
  called: {
    label: 'ticket_status.called',
    token: 'called',
    icon: 'bell',
    visitor: ['on_my_way', 'delay', 'leave'],
    agent: ['start', 'recall', 'no_show', 'return', 'transfer', 'note'],
  },
  serving: {
    label: 'ticket_status.serving',
    token: 'serving',
    icon: 'person',
    visitor: [],
    agent: ['complete', 'transfer', 'hold', 'return', 'note'],
  },
  held: {
    label: 'ticket_status.held',
    token: 'parked',
    icon: 'pause',
    visitor: [],
    agent: ['resume', 'return', 'note'],
  },
  transferred: {
    label: 'ui.transferred',
    token: 'transferred',
    icon: 'arrows',
    visitor: ['delay', 'leave'],
    agent: [],
  },
  no_show: {
    label: 'ticket_status.no_show',
    token: 'noshow',
    icon: 'missed',
    visitor: ['here', 'take_new'],
    agent: ['undo', 'return'],
  },
  cancelled: {
    label: 'ticket_status.cancelled',
    token: 'cancelled',
    icon: 'cross',
    visitor: ['undo', 'take_new'],
    agent: ['undo'],
  },
  completed: {
    label: 'ticket_status.completed',
    token: 'done',
    icon: 'check',
    visitor: ['rate', 'erase'],
    agent: ['undo'],
  },
  expired: { label: 'ticket_status.expired', token: 'cancelled', icon: 'cross', visitor: ['take_new'], agent: [] },
}
