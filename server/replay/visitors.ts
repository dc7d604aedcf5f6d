import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { isFinal } from '../../shared/ticket-status.ts'
import type { TakenTicket } from './actors.ts'

/** Phones that watch at once at most. */
const MOST_WATCHING = 50
const COME_BACK_MS = 250

/**
 * Visitors who watch their own ticket on their phone: every n-th one follows `/ws/tickets/{token}/` to the end, and
 * connects again when the connection breaks.
 */
export class VisitorSample {
  followed = 0
  /** Phones that saw the end of their own ticket. */
  informed = 0
  /** Connections that failed. */
  refused = 0
  #baseUrl: string
  #every: number
  #patienceMs: number
  #offered = 0
  #watching = new Set<Promise<void>>()
  #stop = new AbortController()

  /** `every` 0: nobody watches. */
  constructor(baseUrl: string, every: number, patienceMs: number) {
    this.#baseUrl = baseUrl.replace(/^http/, 'ws').replace(/\/$/, '')
    this.#every = every
    this.#patienceMs = patienceMs
  }

  /** Resolves once the phone, if this visitor takes it out, shows the ticket. */
  async offer(ticket: TakenTicket): Promise<void> {
    if (this.#every === 0 || this.#offered++ % this.#every !== 0 || this.#watching.size >= MOST_WATCHING) return
    this.followed++
    const shown = new Promise<void>((isShown) => {
      const watching = this.#watch(ticket, isShown).finally(() => {
        this.#watching.delete(watching)
        isShown()
      })
      this.#watching.add(watching)
    })
    await Promise.race([shown, sleep(this.#patienceMs, undefined, { ref: false })])
  }

  async #watch(ticket: TakenTicket, onShown: () => void): Promise<void> {
    while (!this.#stop.signal.aborted) {
      if (await this.#connection(ticket, onShown)) {
        this.informed++
        return
      }
      await sleep(COME_BACK_MS, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
  }

  /** One connection: true when it showed the ticket's end, false when it broke before. */
  #connection(ticket: TakenTicket, onShown: () => void): Promise<boolean> {
    const url = `${this.#baseUrl}/ws/tickets/${ticket.public_token}/`
    const socket = new WebSocket(url, ['smartqueue.v1'], { perMessageDeflate: false })
    const hangUp = () => socket.terminate()
    this.#stop.signal.addEventListener('abort', hangUp)
    return new Promise((resolve) => {
      let isEnded = false
      socket.on('error', () => this.refused++)
      socket.on('message', (data) => {
        onShown()
        // Each frame shows the own ticket, whoever's act was its cause.
        const frame = JSON.parse(String(data)) as { ticket?: { status: string } }
        if (isEnded || !frame.ticket || !isFinal(frame.ticket.status.normalize('NFC'))) return
        isEnded = true
        socket.close()
      })
      socket.on('close', () => {
        this.#stop.signal.removeEventListener('abort', hangUp)
        resolve(isEnded)
      })
    })
  }

  /** Gives the last phones a moment to hear the end, then hangs up. */
  async close(): Promise<void> {
    const everybody = Promise.all(this.#watching)
    await Promise.race([everybody, sleep(this.#patienceMs, undefined, { ref: false })])
    this.hangUp()
    await everybody
  }

  hangUp(): void {
    this.#stop.abort()
  }
}
