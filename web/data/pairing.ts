import { call, Problem } from './api.ts'
import { devicesPollPairing, devicesStartPairing } from './operations.ts'

/** What a paired machine keeps between restarts. */
export interface Paired {
  tenant: string
  token: string
}
/** Shown to the staff while nobody has adopted the machine. */
export interface PairingCode {
  code: string
  expiresAt: number
}

const RETRY_SECONDS = 5
export const pause = (seconds: number) => new Promise<void>((done) => setTimeout(done, seconds * 1000))

/** A kind of machine's memory of its pairing. */
export class Pairing {
  readonly #store: string

  /** @param kind `display` or `kiosk`: one browser may be both */
  constructor(kind: string) {
    this.#store = `smartqueue.${kind}`
  }

  remembered(): Paired | null {
    const text = localStorage.getItem(this.#store)
    return text === null ? null : (JSON.parse(text) as Paired)
  }
  /** The machine was sent away: what it knew opens nothing any more. */
  forget(): void {
    localStorage.removeItem(this.#store)
  }

  /** Shows codes until the staff has typed one. */
  async pair(onCode: (code: PairingCode) => void): Promise<Paired> {
    for (;;) {
      try {
        const { code, secret, expires_in, interval } = await call(devicesStartPairing, {})
        const expiresAt = Date.now() + expires_in * 1000
        onCode({ code, expiresAt })
        while (Date.now() < expiresAt) {
          await pause(interval)
          const { status, tenant, token } = await call(devicesPollPairing, { secret })
          if (status !== 'paired') continue
          const paired = { tenant: tenant!, token: token! }
          localStorage.setItem(this.#store, JSON.stringify(paired))
          return paired
        }
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        await pause(RETRY_SECONDS)
      }
    }
  }
}
