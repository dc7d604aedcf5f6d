import WebSocket from 'ws'
import { isFinal } from '../../shared/ticket-status.ts'
import type { TakenTicket } from './actors.ts'

/** Connections a sample keeps open at once at most. */
const MOST_OPEN = 50

/** Visitors who watch their own ticket on their phone: every n-th one follows `/ws/tickets/{token}/` to the end. */
export class VisitorSample {
  followed = 0
  /** Phones that saw the end of their own ticket. */
  informed = 0
  /** Phones that could not connect. */
  refused = 0
  #baseUrl: string
  #every: number
  #patienceMs: number
  #offered = 0
  #open = new Set<WebSocket>()

  /** `every` 0: nobody watches. */
  constructor(baseUrl: string, every: number, patienceMs: number) {
    this.#baseUrl = baseUrl.replace(/^http/, 'ws').replace(/\/$/, '')
    this.#every = every
    this.#patienceMs = patienceMs
  }

  /** Resolves once the phone, if this visitor takes it out, shows the ticket. */
  async offer(ticket: TakenTicket): Promise<void> {
    if (this.#every === 0 || this.#offered++ % this.#every !== 0 || this.#open.size >= MOST_OPEN) return
    const socket = new WebSocket(`${this.#baseUrl}/ws/tickets/${ticket.public_token}/`, ['smartqueue.v1'], {
      perMessageDeflate: false,
    })
    this.#open.add(socket)
    this.followed++
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => fail(), this.#patienceMs)
      const fail = () => {
        this.refused++
        socket.terminate()
        resolve()
      }
      socket.on('error', fail)
      socket.on('message', (data) => {
        clearTimeout(timer)
        resolve()
        // Each frame shows the own ticket, whoever's act was its cause.
        const { ticket } = JSON.parse(String(data)) as { ticket?: { status: string } }
        if (!ticket || !isFinal(ticket.status.normalize('NFC'))) return
        this.informed++
        socket.removeAllListeners('message').close()
      })
      socket.on('close', () => {
        clearTimeout(timer)
        this.#open.delete(socket)
        resolve()
      })
    })
  }

  /** Gives the last phones a moment to hear the end, then hangs up. */
  async close(): Promise<void> {
    for (let waited = 0; this.#open.size > 0 && waited < this.#patienceMs; waited += 50)
      await new Promise((resolve) => setTimeout(resolve, 50))
    for (const socket of this.#open) socket.terminate()
  }
}
