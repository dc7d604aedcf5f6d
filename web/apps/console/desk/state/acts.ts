import type { LiveEvent, Ticket } from '../../../../../shared/board.ts'
import { TicketStatus } from '../../../../../shared/ticket-status.ts'
import type { AgentView } from '../../../../../shared/views.ts'
import { newKey, Problem, type Operation } from '../../../../data/api.ts'
import {
  agentsSetStatus,
  ticketsCall,
  ticketsCancel,
  ticketsComplete,
  ticketsHold,
  ticketsNext,
  ticketsNoShow,
  ticketsRecall,
  ticketsResume,
  ticketsReturn,
  ticketsStart,
  ticketsTransfer,
  ticketsUndo,
  ticketsUpdate,
} from '../../../../data/operations.ts'
import { counterName, ticketCode } from '../../../../ui/format.ts'
import { t, type MessageKey } from '../../../../ui/messages.ts'
import { asCalled, Bringing, statusWith, without } from './bring.ts'
import { iso } from '../../state/clock.ts'
import type { Desk } from './desk.ts'
import { UndoStack } from '../../state/undo.ts'

/** A wish older than this is forgotten: nobody is called half a minute after the key, when somebody else may be there. */
const FORGET_MS = 30_000
/** How long the server takes something back: 2 minutes after a completion, else one. */
const UNDO_SECONDS = { complete: 120, other: 60 }

export interface Answers {
  outcome?: string
  fields?: Record<string, string>
}
export interface Destination {
  kind: 'queue' | 'agent' | 'counter'
  id: number
  name: string
}
interface Step<Result> {
  apply(view: AgentView): AgentView
  isTold(event: LiveEvent): boolean
  /** Who leaves the line by it, as far as is known. */
  takes?(): number | undefined
  send(options: { key: string; signal: AbortSignal }): Promise<Result>
}

/** Everything an agent does: shown at once, sent once, taken back by one key. */
export class Acts {
  readonly desk: Desk
  readonly undone = new UndoStack()
  /** Acts go to the server one after the other: each was meant for what the one before leads to. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(desk: Desk) {
    this.desk = desk
  }

  /** Why nobody can be called or served at this moment, or null. */
  get hindrance(): MessageKey | null {
    const { freshness, isMirror, asksForDesk, view } = this.desk.state
    if (freshness !== 'fresh') return 'console.offline_reason'
    if (isMirror || asksForDesk) return 'console.mirror_reason'
    return view ? null : 'ui.loading'
  }

  async #perform<Result>(step: Step<Result>): Promise<Result | undefined> {
    const { desk } = this
    const hindrance = this.hindrance
    if (hindrance) return void desk.say(t(hindrance), 'problem')
    desk.set({ notice: null })
    const pressedAt = Date.now()
    const before = this.#last
    const key = newKey()
    const isFresh = () => Date.now() - pressedAt < FORGET_MS
    const acting = desk.act<Result>(
      {
        apply: (view) => step.apply(view),
        isTold: (event) => step.isTold(event),
        mayRepeat: (error) => isLost(error) && isFresh() && desk.state.freshness !== 'offline',
        async send() {
          await before.catch(() => {})
          await desk.arriving
          if (!isFresh()) throw new Problem(0, { code: 'too_late' })
          return step.send({ key, signal: AbortSignal.timeout(FORGET_MS - (Date.now() - pressedAt)) })
        },
      },
      step.takes,
    )
    this.#last = acting
    desk.refresh()
    try {
      return await acting
    } catch (error) {
      desk.refuse(error)
      return undefined
    } finally {
      desk.refresh()
    }
  }

  /** One verb on one ticket, with what is shown meanwhile. */
  #verb<Input extends { tenant: string; id: number }>(
    operation: Operation<Input, Ticket>,
    input: Omit<Input, 'tenant'>,
    apply: (view: AgentView) => AgentView,
    types: readonly string[],
    takes?: () => number,
  ): Promise<Ticket | undefined> {
    const { id } = input as unknown as { id: number }
    return this.#perform({
      apply,
      isTold: (event) => event.ticket?.id === id && types.includes(event.type),
      ...(takes && { takes }),
      send: async (options) => {
        const answer = await this.desk.run(operation, input, options)
        this.#at = undefined
        return answer
      },
    })
  }

  #offer(key: MessageKey, ticket: Pick<Ticket, 'number'>, seconds: number, undo: () => Promise<unknown>): void {
    this.undone.push(t(key, { number: ticketCode(ticket.number) }), seconds, async () => {
      if ((await undo()) !== undefined) this.desk.say(t('console.undone', { number: ticketCode(ticket.number) }))
    })
  }

  /** The server's own undo, with the ticket back at the counter at once where it was there before. */
  #undo(ticket: Ticket, isBackHere: boolean): Promise<Ticket | undefined> {
    const apply = (view: AgentView) =>
      isBackHere && !view.ticket ? { ...view, ticket, agent: { ...view.agent, status: statusWith(ticket) } } : view
    return this.#verb(ticketsUndo, { id: ticket.id }, apply, ['ticket.undone'])
  }

  /** Answers that the service of the ticket asks for and that nobody has given. */
  missing(answers: Answers = {}): readonly string[] {
    const { catalogue, state } = this.desk
    const ticket = state.view?.ticket
    if (!ticket) return []
    const detail = state.detail?.id === ticket.id ? state.detail : null
    const given: Record<string, unknown> = {
      ...detail?.fields,
      ...answers.fields,
      outcome: answers.outcome ?? detail?.outcome,
    }
    const service = catalogue.services.get(ticket.service_id)
    return (service?.required_fields ?? []).filter((name) => (given[name] ?? '') === '')
  }

  /** Finishes the current ticket and calls the next. */
  async next(answers: Answers = {}): Promise<void> {
    const { desk } = this
    const { view, waiting } = desk.state
    if (this.hindrance || !view) return void desk.say(t(this.hindrance ?? 'ui.loading'), 'problem')
    const missing = this.missing(answers)
    if (missing.length > 0) return desk.set({ sheet: { answersFor: 'next', missing } })
    if (view.agent.status === 'break' || view.agent.status === 'back_office') return this.back()
    // Whoever was looked at gives way to whoever comes.
    desk.set({ selectedId: null })
    const current = view.ticket
    const promised = waiting[0] ?? null
    this.#bringing++
    const bringing = new Bringing(view, promised, this.#isConfirmed)
    const result = await this.#perform({
      apply: (base) => bringing.apply(base),
      isTold: (event) => bringing.isTold(event),
      takes: () => bringing.target?.id,
      send: async (options) => {
        const at = this.#at
        // The one before brought somebody else than was promised: whoever that is has not been seen yet.
        if (at !== undefined && at !== (current?.id ?? null)) throw new Problem(409, { title: t('console.other_came') })
        const input = { id: desk.agentId, ...(current && { ticket_id: current.id }), ...answers }
        const answer = await desk.run(ticketsNext, input, options)
        this.#at = answer.ticket?.id ?? null
        bringing.target = answer.ticket
        return answer
      },
    })
    // Keys pressed meanwhile have yet to look at it.
    if (--this.#bringing === 0) this.#at = undefined
    if (!result) return
    const { completed, ticket } = result
    if (promised && ticket?.id !== promised.id) this.#explain(promised, ticket)
    if (!ticket && !promised) desk.say(t('console.nobody'))
    if (!completed && !ticket) return
    const text = completed
      ? t('console.did_next', { number: ticketCode(completed.number) })
      : t('console.called_now', { number: ticketCode(ticket!.number) })
    this.undone.push(text, UNDO_SECONDS.other, async () => {
      if (ticket && !(await this.#back(ticket))) return
      if (completed && !(await this.#undo(current!, true))) return
      desk.say(t('console.undone', { number: ticketCode((completed ?? ticket)!.number) }))
    })
  }
  /** Who the server put at the counter by the acts still on their way; undefined: as shown. */
  #at: number | null | undefined
  /** Calls of the next on their way. */
  #bringing = 0

  /** Somebody was quicker, or the line had changed: no dialog, the next one is there already. */
  #explain(promised: Ticket, ticket: Ticket | null): void {
    const { desk } = this
    const taken = desk.board(promised.queue_id)?.called.find(({ id }) => id === promised.id)
    const counter = counterName(taken?.counter_name ?? null)
    const params = { number: ticketCode(promised.number), counter, other: ticketCode(ticket?.number ?? '') }
    const isAway = Boolean(counter)
    if (ticket) desk.say(t(isAway ? 'console.taken_showing' : 'console.other_showing', params))
    else desk.say(t(isAway ? 'console.taken_nobody' : 'console.nobody', params))
  }

  #isConfirmed = ({ queue_id }: Ticket): boolean => this.desk.catalogue.queues.get(queue_id)?.confirm_arrival ?? true

  /** Back into its line, at the place its arrival gives it. */
  #back(ticket: Ticket): Promise<Ticket | undefined> {
    return this.#verb(ticketsReturn, { id: ticket.id, position: 'arrival' }, without, ['ticket.returned'])
  }

  /** Calls a chosen ticket, out of turn. */
  async callTicket(ticket: Ticket): Promise<void> {
    const { desk } = this
    if (desk.state.view?.ticket) return desk.say(t('console.finish_first'), 'problem')
    const apply = (view: AgentView) => {
      const called = asCalled(ticket, view, this.#isConfirmed)
      return view.ticket ? view : { ...view, ticket: called, agent: { ...view.agent, status: statusWith(called) } }
    }
    desk.set({ selectedId: null })
    const told = this.#isConfirmed(ticket) ? ['ticket.called'] : ['ticket.started']
    const done = await this.#verb(ticketsCall, { id: ticket.id, agent_id: desk.agentId }, apply, told, () => ticket.id)
    if (done) this.#offer('console.called_now', done, UNDO_SECONDS.other, () => this.#back(done))
    else {
      const taken = desk.board(ticket.queue_id)?.called.find(({ id }) => id === ticket.id)
      const next = desk.state.waiting[0]
      if (!taken?.counter_name) return
      desk.say(
        t(next ? 'console.taken_showing' : 'console.taken_nobody', {
          number: ticketCode(ticket.number),
          counter: counterName(taken.counter_name),
          other: ticketCode(next?.number ?? ''),
        }),
      )
      desk.select(next?.id ?? null)
    }
  }

  #current(...states: readonly Ticket['status'][]): Ticket | undefined {
    const ticket = this.desk.state.view?.ticket
    if (ticket && states.includes(ticket.status)) return ticket
    this.desk.say(t(ticket ? 'console.not_now' : 'console.no_ticket'), 'problem')
    return undefined
  }

  async recall(): Promise<void> {
    const ticket = this.#current(TicketStatus.called)
    if (!ticket) return
    const again = { ...ticket, call_count: ticket.call_count + 1 }
    const apply = (view: AgentView) => (view.ticket?.id === ticket.id ? { ...view, ticket: again } : view)
    const done = await this.#verb(ticketsRecall, { id: ticket.id }, apply, ['ticket.recalled'])
    if (done) this.desk.say(t('console.recalled', { number: ticketCode(ticket.number), count: done.call_count }))
  }

  async start(): Promise<void> {
    const ticket = this.#current(TicketStatus.called)
    if (!ticket) return
    const started = { ...ticket, status: TicketStatus.serving, started_at: iso() }
    const apply = (view: AgentView): AgentView =>
      view.ticket?.id === ticket.id ? { ...view, ticket: started, agent: { ...view.agent, status: 'serving' } } : view
    const done = await this.#verb(ticketsStart, { id: ticket.id }, apply, ['ticket.started'])
    if (done) this.#offer('console.did_start', ticket, UNDO_SECONDS.other, () => this.#undo(ticket, true))
  }

  async finish(answers: Answers = {}): Promise<void> {
    const ticket = this.#current(TicketStatus.serving)
    if (!ticket) return
    const missing = this.missing(answers)
    if (missing.length > 0) return this.desk.set({ sheet: { answersFor: 'finish', missing } })
    const done = await this.#verb(ticketsComplete, { id: ticket.id, ...answers }, leave(ticket), ['ticket.completed'])
    if (done) this.#offer('console.did_finish', ticket, UNDO_SECONDS.complete, () => this.#undo(ticket, true))
  }

  async noShow(): Promise<void> {
    const ticket = this.#current(TicketStatus.called)
    if (!ticket) return
    const done = await this.#verb(ticketsNoShow, { id: ticket.id }, leave(ticket), ['ticket.no_show'])
    if (done) this.#offer('console.did_no_show', ticket, UNDO_SECONDS.other, () => this.#undo(ticket, true))
  }

  async hold(): Promise<void> {
    const ticket = this.#current(TicketStatus.serving)
    if (!ticket) return
    const held = { ...ticket, status: TicketStatus.held }
    const apply = (view: AgentView): AgentView =>
      view.ticket?.id === ticket.id ? { ...without(view), held: [...view.held, held] } : view
    const done = await this.#verb(ticketsHold, { id: ticket.id }, apply, ['ticket.held'])
    if (done) this.#offer('console.did_hold', ticket, UNDO_SECONDS.other, () => this.#undo(ticket, true))
  }

  async resume(ticket: Ticket): Promise<void> {
    if (this.desk.state.view?.ticket) return this.desk.say(t('console.finish_first'), 'problem')
    const back = { ...ticket, status: TicketStatus.serving }
    const apply = (view: AgentView): AgentView =>
      view.ticket
        ? view
        : {
            ...view,
            ticket: back,
            held: view.held.filter(({ id }) => id !== ticket.id),
            agent: { ...view.agent, status: 'serving' },
          }
    const done = await this.#verb(ticketsResume, { id: ticket.id }, apply, ['ticket.resumed'])
    if (done)
      this.#offer('console.did_resume', ticket, UNDO_SECONDS.other, () =>
        this.#verb(ticketsHold, { id: ticket.id }, leave(ticket), ['ticket.held']),
      )
  }

  /** Back into the line: a called or served ticket, by its arrival. */
  async giveBack(): Promise<void> {
    const ticket = this.#current(TicketStatus.called, TicketStatus.serving)
    if (!ticket) return
    const done = await this.#back(ticket)
    if (done) this.#offer('console.did_return', ticket, UNDO_SECONDS.other, () => this.#undo(ticket, true))
  }

  async transfer(ticket: Ticket, to: Destination): Promise<void> {
    const input = { id: ticket.id, [`${to.kind}_id`]: to.id }
    const done = await this.#verb(ticketsTransfer, input, leave(ticket), ['ticket.transferred'])
    if (!done) return
    const wasHere = ticket.status !== TicketStatus.waiting
    const text = t('console.did_transfer', { number: ticketCode(ticket.number), to: to.name })
    this.undone.push(text, UNDO_SECONDS.other, async () => {
      if (await this.#undo(ticket, wasHere)) this.desk.say(t('console.undone', { number: ticketCode(ticket.number) }))
    })
  }

  /** Takes a waiting person off the line. */
  async remove(ticket: Ticket): Promise<void> {
    const done = await this.#verb(ticketsCancel, { id: ticket.id }, (view) => view, ['ticket.cancelled'])
    if (done) this.#offer('console.did_remove', ticket, UNDO_SECONDS.other, () => this.#undo(ticket, false))
  }

  /** Note, labels or needs; the act that takes it back puts the old ones there. */
  async note(ticket: Pick<Ticket, 'id' | 'number'>, changes: NoteChanges, before: NoteChanges): Promise<void> {
    const { desk } = this
    const write = async (values: NoteChanges) => {
      try {
        await desk.run(ticketsUpdate, { id: ticket.id, ...values })
        await desk.reloadDetail()
        return true
      } catch (error) {
        desk.refuse(error)
        return undefined
      }
    }
    if (await write(changes)) this.#offer('console.did_note', ticket, 600, () => write(before))
  }

  /** Goes on a break or to other work. `minutes`: until the expected return. */
  async pause(status: 'break' | 'back_office', reason: string, minutes: number | null): Promise<void> {
    const { desk } = this
    if (desk.state.view?.ticket) return desk.say(t('console.finish_first'), 'problem')
    const until = minutes === null ? null : new Date(Date.parse(iso()) + minutes * 60_000).toISOString()
    const done = await this.#setStatus({ status, reason, expected_return_at: until })
    if (done) this.undone.push(t('console.did_pause'), 600, () => this.back())
  }
  async back(): Promise<void> {
    if (await this.#setStatus({ status: 'available' })) this.desk.say(t('console.welcome_back'))
  }
  /** Leaves the counter to somebody else. */
  async leave(): Promise<boolean> {
    if (this.desk.state.view?.ticket) this.desk.say(t('console.finish_first'), 'problem')
    else return (await this.#setStatus({ status: 'offline' })) !== undefined
    return false
  }

  async #setStatus(change: {
    status: 'available' | 'break' | 'back_office' | 'offline'
    reason?: string
    expected_return_at?: string | null
  }) {
    const { desk } = this
    const self = await this.#perform({
      apply: (view) => ({ ...view, agent: { ...view.agent, status: change.status } }),
      isTold: (event) => event.agent_id === desk.agentId && event.type === 'agent.status_changed',
      send: (options) => desk.run(agentsSetStatus, { id: desk.agentId, ...change }, options),
    })
    if (self) desk.set({ self })
    return self
  }

  undo(): void {
    if (!this.undone.pop()) this.desk.say(t('console.nothing_to_undo'))
  }
}

export interface NoteChanges {
  note?: string
  labels?: string[]
  needs?: string[]
}

const leave = (ticket: Ticket) => (view: AgentView) => (view.ticket?.id === ticket.id ? without(view) : view)
const isLost = (error: unknown): boolean =>
  error instanceof Problem ? [0, 502, 503, 504].includes(error.status) : true
