import type { FloorAct } from '../../../../shared/floor.ts'
import {
  agentsSetStatus,
  agentsUpdate,
  queuesStopIntake,
  queuesUpdate,
  sitesAcknowledgeAlert,
  ticketsMove,
  ticketsTransfer,
  ticketsUndo,
} from '../../../data/operations.ts'
import { ticketCode } from '../../../ui/format.ts'
import { t } from '../../../ui/messages.ts'
import { offerUndo } from '../../../ui/toast.ts'
import { navigate } from '../shell/router.ts'
import type { Floor } from './model.ts'

/** How long an act can be taken back in sight. */
const UNDO_SECONDS = 8

/** What a supervisor does; each says what it did and can be taken back where the server can. */
export class FloorActs {
  readonly floor: Floor
  constructor(floor: Floor) {
    this.floor = floor
  }
  get #shell() {
    return this.floor.shell
  }

  async #try(text: string, act: () => Promise<unknown>, undo?: () => Promise<unknown>): Promise<boolean> {
    try {
      await act()
    } catch (error) {
      this.#shell.refuse(error)
      return false
    }
    this.#shell.set({ notice: null })
    if (undo)
      offerUndo({ text, seconds: UNDO_SECONDS, onUndo: () => void undo().then(this.floor.load, this.#shell.refuse) })
    else this.#shell.say(text)
    await this.floor.load()
    return true
  }
  #agent = (id: number) => this.floor.state.floor?.agents.find((each) => each.id === id)

  /** Another line for somebody, who keeps no other: a queue is served by who is there. */
  moveAgent(agentId: number, queueId: number) {
    const agent = this.#agent(agentId)
    const before = agent?.queue_ids ?? []
    const serve = (ids: readonly number[]) =>
      this.#shell.run(agentsUpdate, { id: agentId, queues: ids.map((queue_id) => ({ queue_id })) })
    return this.#try(
      t('floor.did_move_agent', { name: agent?.name ?? '' }),
      () => serve([queueId]),
      () => serve(before),
    )
  }
  openCounter(agentId: number, counterId: number) {
    const agent = this.#agent(agentId)
    const { status = 'offline', counter_id = null } = agent ?? {}
    return this.#try(
      t('floor.did_open', { name: agent?.name ?? '' }),
      () => this.#shell.run(agentsSetStatus, { id: agentId, status: 'available', counter_id: counterId }),
      () =>
        this.#shell.run(agentsSetStatus, {
          id: agentId,
          status: status === 'break' || status === 'back_office' ? status : 'offline',
          counter_id,
        }),
    )
  }
  closeCounter(agentId: number) {
    const agent = this.#agent(agentId)
    const counter_id = agent?.counter_id ?? null
    return this.#try(
      t('floor.did_close', { name: agent?.name ?? '' }),
      () => this.#shell.run(agentsSetStatus, { id: agentId, status: 'offline' }),
      () => this.#shell.run(agentsSetStatus, { id: agentId, status: 'available', counter_id }),
    )
  }

  stopIntake(queueId: number) {
    return this.#try(
      t('floor.did_stop'),
      () => this.#shell.run(queuesStopIntake, { id: queueId }),
      () => this.#shell.run(queuesUpdate, { id: queueId, is_active: true }),
    )
  }
  resumeIntake(queueId: number) {
    return this.#try(
      t('floor.did_resume'),
      () => this.#shell.run(queuesUpdate, { id: queueId, is_active: true }),
      () => this.#shell.run(queuesStopIntake, { id: queueId }),
    )
  }
  limit(queueId: number, most: number | null) {
    const before = this.floor.state.floor?.queues.find(({ id }) => id === queueId)?.max_capacity ?? null
    return this.#try(
      t('floor.did_limit'),
      () => this.#shell.run(queuesUpdate, { id: queueId, max_capacity: most }),
      () => this.#shell.run(queuesUpdate, { id: queueId, max_capacity: before }),
    )
  }

  /** Behind another one of the line; null makes it the first. */
  move(ticket: { id: number; number: string }, afterId: number | null, beforeId: number | null) {
    const place = (after: number | null) =>
      this.#shell.run(ticketsMove, { id: ticket.id, after_id: after, reason: t('floor.reason') })
    return this.#try(
      t('floor.did_move', { number: ticketCode(ticket.number) }),
      () => place(afterId),
      () => place(beforeId),
    )
  }
  /** One after the other, so that who was called meanwhile stops nobody else. */
  async transfer(tickets: readonly { id: number }[], queueId: number): Promise<void> {
    const moved: number[] = []
    let problem: unknown
    for (const { id } of tickets) {
      try {
        await this.#shell.run(ticketsTransfer, { id, queue_id: queueId, position: 'arrival' })
        moved.push(id)
      } catch (error) {
        problem = error
      }
    }
    if (moved.length > 0)
      await this.#try(
        t('floor.did_transfer', { count: moved.length }),
        () => Promise.resolve(),
        () => Promise.all(moved.map((id) => this.#shell.run(ticketsUndo, { id }))),
      )
    if (problem) this.#shell.refuse(problem)
  }

  acknowledge(alert: string) {
    return this.#try(t('floor.did_acknowledge'), () =>
      this.#shell.run(sitesAcknowledgeAlert, { id: this.floor.siteId, alert }),
    )
  }
  /** What an alert's button does. */
  obey(act: FloorAct, openQueue: (id: number) => void): void {
    switch (act.kind) {
      case 'open_counter':
        return void this.openCounter(act.agent_id, act.counter_id)
      case 'move_agent':
        return void this.moveAgent(act.agent_id, act.queue_id)
      case 'stop_intake':
        return void this.stopIntake(act.queue_id)
      case 'raise_limit':
        return openQueue(act.queue_id)
      case 'devices': {
        const page = this.#shell.pages.find(({ id }) => id.includes('devices'))
        if (page) navigate(page.path)
      }
    }
  }
}
