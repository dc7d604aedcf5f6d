import { applyEvent, type Board, type LiveEvent, type Ticket } from '../../../../../shared/board.ts'
import type { OptimisticAct } from '../../../../../shared/optimism.ts'
import { ticketStatusName, type TicketStatusName } from '../../../../../shared/ticket-status.ts'
import { applyAgent, type AgentView } from '../../../../../shared/views.ts'
import { call, Problem, type Operation } from '../../../../data/api.ts'
import { follow, type Following, type Freshness } from '../../../../data/live.ts'
import {
  agentsGet,
  agentsSetStatus,
  agentsStats,
  agentsTakeDesk,
  ticketsGet,
  type AgentsGet,
  type AgentsStats,
  type TicketsGet,
} from '../../../../data/operations.ts'
import { announce } from '../../../../ui/announce.ts'
import { ticketCode } from '../../../../ui/format.ts'
import { t } from '../../../../ui/messages.ts'
import type { Catalogue } from '../../state/catalogue.ts'
import { serverNow } from '../../state/clock.ts'
import { callOrder, type WaitingTicket } from './line.ts'
import { preferences } from '../../state/preferences.ts'
import { isSignedOut, type Session } from '../../state/session.ts'
import { Store } from '../../state/store.ts'
import { windowName } from './window.ts'

type Sheet =
  | 'transfer'
  | 'pause'
  | 'help'
  | 'palette'
  | 'held'
  | { answersFor: 'next' | 'finish'; missing: readonly string[] }
export interface Notice {
  text: string
  kind: 'info' | 'problem'
}
export interface DeskState {
  view: AgentView | null
  /** Who waits, in the order this agent would call them. */
  waiting: readonly WaitingTicket[]
  /** How many wait in the agent's lines; more than `waiting` holds where a line is very long. */
  waitingCount: number
  freshness: Freshness
  /** When what is shown was last known to be right. */
  knownAt: string
  self: AgentsGet
  /** Note, answers and outcome of the ticket at the counter or of the selected one. */
  detail: TicketsGet | null
  stats: AgentsStats | null
  selectedId: number | null
  notice: Notice | null
  sheet: Sheet | null
  /** Opened by somebody who wants another counter. */
  isChoosingCounter: boolean
  /** Another window works at this desk; null until the person has said which one shall. */
  isMirror: boolean
  /** Another window is (or was a moment ago) at this desk and nobody has decided yet. */
  asksForDesk: boolean
}

/** Ready for whoever is not told otherwise. */
const FIRST = {
  view: null,
  waiting: [],
  waitingCount: 0,
  freshness: 'fresh',
  detail: null,
  stats: null,
  selectedId: null,
  notice: null,
  sheet: null,
  isChoosingCounter: false,
  isMirror: false,
} as const

/** One agent's desk in one window: what is shown of it, kept fresh by the feeds of the agent and of the lines served. */
export class Desk extends Store<DeskState> {
  readonly session: Session
  readonly catalogue: Catalogue
  readonly agentId: number
  /** The server will have nothing of this window any more. */
  readonly #onSignedOut: () => void
  #agentFeed: Following<AgentView, LiveEvent>
  #queueFeeds = new Map<number, Following<Board, LiveEvent>>()
  #timer: ReturnType<typeof setInterval>
  #isHome = false
  #arriving: Promise<unknown> = Promise.resolve()
  #arrivals = 0
  #running = new Set<Promise<unknown>>()

  constructor(session: Session, catalogue: Catalogue, self: AgentsGet, onSignedOut: () => void) {
    super({ ...FIRST, self, knownAt: new Date(serverNow()).toISOString(), asksForDesk: self.is_online })
    this.session = session
    this.catalogue = catalogue
    this.agentId = self.id
    this.#onSignedOut = onSignedOut
    this.#agentFeed = follow<AgentView, LiveEvent>({
      path: `/ws/tenants/${session.tenant.slug}/agents/${self.id}/`,
      reduce: applyAgent,
      onView: (_, event) => this.#onAgentView(event),
      onFreshness: (freshness) => this.#onFreshness(freshness),
    })
    // Waits grow by themselves, and with them who is called first.
    this.#timer = setInterval(() => this.refresh(), 10_000)
    void this.#loadStats()
  }

  /** The person signs out: whoever sees the seat empty from now on does not sit down again. */
  isEnding = false

  /** Settles when the agent has sat down, or could not: nobody is called before. */
  get arriving(): Promise<unknown> {
    return this.#arriving
  }

  #arrive(sitting: Promise<void>): Promise<void> {
    this.#arrivals++
    this.#arriving = Promise.allSettled([this.#arriving, sitting]).then(() => this.#arrivals--)
    return sitting
  }

  close(): void {
    clearInterval(this.#timer)
    this.#agentFeed.close()
    for (const feed of this.#queueFeeds.values()) feed.close()
  }

  /** Closes and waits for what is still asked: nothing may be refused because the session ends meanwhile. */
  async end(): Promise<void> {
    this.close()
    await Promise.allSettled(this.#running)
  }

  /** Runs an operation of this organisation as the signed-in person. */
  async run<Input extends { tenant: string }, Output>(
    operation: Operation<Input, Output>,
    input: Omit<Input, 'tenant'>,
    options: { key?: string; signal?: AbortSignal } = {},
  ): Promise<Output> {
    const { tenant, csrf_token } = this.session
    const whole = { ...input, tenant: tenant.slug } as unknown as Input
    const answer = call(operation, whole, { csrf: csrf_token ?? '', ...options })
    this.#running.add(answer)
    try {
      return await answer
    } catch (error) {
      if (isSignedOut(error)) this.#onSignedOut()
      throw error
    } finally {
      this.#running.delete(answer)
    }
  }

  /**
   * Shows an act at once and sends it. `takes`: who leaves the line by it, and must not be promised again before the
   * line's own feed has told of it: that may be later than the feed of the desk, and than the next key.
   */
  act<Result>(act: OptimisticAct<AgentView, LiveEvent, Result>, takes?: () => number | undefined): Promise<Result> {
    const acting = this.#agentFeed.act(act)
    if (takes)
      for (const feed of this.#queueFeeds.values()) {
        const apply = (board: Board) => ({ ...board, waiting: board.waiting.filter(({ id }) => id !== takes()) })
        const isTold = (event: LiveEvent) => act.isTold(event)
        // Its refusal is told by the act itself.
        feed.act({ apply, isTold, mayRepeat: () => false, send: () => acting }).catch(() => {})
      }
    return acting
  }

  /** The view with one's own acts, and what follows from it. */
  refresh(): void {
    const { view } = this.#agentFeed
    if (!view) return
    const boards = [...this.#queueFeeds.values()].flatMap((feed) => feed.view ?? [])
    const { self } = this.state
    const way = {
      ...self,
      queues: new Map(self.queues.map(({ queue_id, weight }) => [queue_id, { weight, pass: 0 }])),
    }
    const own = new Set([view.ticket?.id, ...view.held.map(({ id }) => id)])
    const waiting = callOrder(boards, way, serverNow()).filter(({ id }) => !own.has(id))
    const waitingCount = view.queues.reduce((sum, queue) => sum + queue.waiting_count, 0)
    const isMirror = view.desk !== null && view.desk !== windowName
    const selectedId = waiting.some(({ id }) => id === this.state.selectedId) ? this.state.selectedId : null
    this.set({ view, waiting, waitingCount, isMirror, selectedId })
    void this.#loadDetail()
  }

  /** A line served, whole. */
  board(queueId: number): Board | null {
    return this.#queueFeeds.get(queueId)?.view ?? null
  }

  say(text: string, kind: Notice['kind'] = 'info'): void {
    this.set({ notice: { text, kind } })
    announce(text)
  }
  refuse(error: unknown): void {
    const text = error instanceof Problem && error.status !== 0 ? error.message : t('console.not_sent')
    this.say(text, 'problem')
  }

  /** Begins, or goes on, to work at the desk from this window; another one that did only watches from now on. */
  takeDesk(): Promise<void> {
    return this.#arrive(this.#takeDesk())
  }
  async #takeDesk(): Promise<void> {
    this.set({ asksForDesk: false })
    await this.run(agentsTakeDesk, { id: this.agentId, desk: windowName })
    await this.#sitDown()
  }

  /** @throws Problem `counter_taken` */
  goTo(counterId: number, isTakeOver = false): Promise<void> {
    return this.#arrive(this.#goTo(counterId, isTakeOver))
  }
  async #goTo(counterId: number, isTakeOver: boolean): Promise<void> {
    const input = { id: this.agentId, status: 'available', counter_id: counterId, take_over: isTakeOver } as const
    const self = await this.run(agentsSetStatus, input)
    this.#remember(counterId)
    this.set({ self, isChoosingCounter: false, asksForDesk: false })
    await this.run(agentsTakeDesk, { id: this.agentId, desk: windowName })
  }

  #remember(counterId: number): void {
    preferences.set({ counters: { ...preferences.state.counters, [this.agentId]: counterId } })
  }

  /** To the seat that is still the agent's, or to the last one where nobody else sits; who means to be away stays away. */
  async #sitDown(): Promise<void> {
    // A key pressed meanwhile shows somebody as called who is not yet.
    const view = this.#agentFeed.told
    if (!view || this.isEnding) return
    // Found at a counter: that is the last one from now on.
    if (view.agent.status !== 'offline' && view.agent.counter_id !== null) this.#remember(view.agent.counter_id)
    if (view.agent.status !== 'offline') return
    const known = view.agent.counter_id ?? preferences.state.counters[this.agentId]
    const isThere = this.catalogue.counters.some(({ id }) => id === known)
    try {
      if (known !== undefined && isThere) await this.goTo(known)
      else this.set({ isChoosingCounter: true })
    } catch (error) {
      this.set({ isChoosingCounter: true })
      if (!(error instanceof Problem && error.code === 'counter_taken')) this.refuse(error)
    }
  }

  #onAgentView(event: LiveEvent | null): void {
    const view = this.#agentFeed?.told
    // The first snapshot may come before the constructor has the feed in its hand.
    if (!view) return void queueMicrotask(() => this.#agentFeed.told && this.#onAgentView(event))
    this.#followQueues(view)
    this.refresh()
    if (!this.#isHome) {
      this.#isHome = true
      const isFree = view.desk === null || view.desk === windowName || !this.state.asksForDesk
      if (isFree) this.takeDesk().catch((error: unknown) => this.refuse(error))
    } else if (this.#arrivals === 0 && !this.state.isMirror && !this.state.asksForDesk && isCutOff(view, event)) {
      void this.#arrive(this.#sitDown())
    }
    const isOwn = event?.agent_id === this.agentId
    if (isOwn && event.type === 'agent.status_changed') void this.#loadSelf()
    if (isOwn && /\.(completed|no_show|undone)$/.test(event.type)) void this.#loadStats()
    if (isOwn && event.type === 'ticket.called' && event.ticket)
      announce(t('console.called_now', { number: ticketCode(event.ticket.number) }))
  }

  #onFreshness(freshness: Freshness): void {
    const silentMs = (this.#agentFeed?.silentSeconds ?? 0) * 1000
    this.set({ freshness, knownAt: new Date(serverNow() - silentMs).toISOString() })
    if (freshness === 'fresh') this.set({ notice: null })
  }

  #followQueues({ queues }: AgentView): void {
    for (const [id, feed] of this.#queueFeeds)
      if (!queues.some((queue) => queue.id === id)) {
        feed.close()
        this.#queueFeeds.delete(id)
      }
    for (const { id } of queues) {
      if (this.#queueFeeds.has(id)) continue
      const feed = follow<Board, LiveEvent>({
        path: `/ws/tenants/${this.session.tenant.slug}/queues/${id}/`,
        reduce: applyEvent,
        onView: () => this.refresh(),
      })
      this.#queueFeeds.set(id, feed)
    }
  }

  /** What feeds leave out, because it is not for boards: note, answers, outcome. */
  async #loadDetail(isChanged = false): Promise<void> {
    const id = this.state.selectedId ?? this.state.view?.ticket?.id ?? null
    if (id === (this.#detailId ?? null) && !isChanged) return
    this.#detailId = id
    if (this.state.detail?.id !== id) this.set({ detail: null })
    if (id === null) return
    const detail = await this.run(ticketsGet, { id }).catch(() => null)
    if (this.#detailId === id) this.set({ detail })
  }
  #detailId: number | null = null
  select(id: number | null): void {
    this.set({ selectedId: id })
    void this.#loadDetail()
  }
  /** After a change of what feeds do not tell. */
  reloadDetail(): Promise<void> {
    return this.#loadDetail(true)
  }

  async #loadSelf(): Promise<void> {
    const self = await this.run(agentsGet, { id: this.agentId }).catch(() => null)
    if (self) this.set({ self })
  }
  async #loadStats(): Promise<void> {
    const stats = await this.run(agentsStats, { id: this.agentId }).catch(() => null)
    if (stats) this.set({ stats })
  }
}

/** The server gave this agent up for gone while the line was dead, and kept the seat. */
const isCutOff = ({ agent }: AgentView, event: LiveEvent | null): boolean =>
  agent.status === 'offline' && agent.counter_id !== null && (event === null || event.type === 'agent.status_changed')

export const stateOf = (ticket: Ticket): TicketStatusName => ticketStatusName(ticket.status)
