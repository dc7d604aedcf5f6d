/** What the log says of a ticket at one event. Instants are microseconds. */
export interface LoggedTicket {
  id: number
  priority: number
  channel: string
  language: string | null
  labels: readonly string[]
  service_id: number
  rank: number
  arrived_at: number
  appointment_at: number | null
  required_skill: string | null
  /** Before the rules; the class as taken where nobody remembers. */
  asked_priority: number
  /** The queue that was asked for, wherever rules sent the person. */
  asked_queue_id: number
}
/** What who called can do; null where nobody is known. */
export type Caller = { skills: readonly string[]; languages: readonly string[] | null } | null
export type LoggedEvent =
  | { kind: 'enter'; at: number; ticket: LoggedTicket }
  /** Asked for this queue and was sent to another one by its rules; served there for so long, where that is known. */
  | { kind: 'away'; at: number; ticket: LoggedTicket; service_seconds: number | null }
  /** Came back, or was put somewhere by a person. */
  | { kind: 'change'; at: number; ticket: LoggedTicket }
  /** Another class or another booked time: the place follows from them. */
  | { kind: 'rerank'; at: number; ticket: LoggedTicket }
  | { kind: 'call'; at: number; id: number; caller: Caller }
  | { kind: 'leave' | 'end'; at: number; id: number }
