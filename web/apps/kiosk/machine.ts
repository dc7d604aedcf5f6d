import { call, Problem } from '../../data/api.ts'
import {
  appointmentsArrive,
  devicesHeartbeat,
  kiosksGet,
  sitesGet,
  ticketsMine,
  ticketsSitePage,
  ticketsTake,
  type KiosksGet,
  type TicketsMine,
  type TicketsSitePage,
} from '../../data/operations.ts'
import type { Language } from '../../../shared/format.ts'
import { Pairing, type Paired, type PairingCode } from '../../data/pairing.ts'

export type Settings = KiosksGet['settings']
export type Paper = 'ok' | 'out'
/** A ticket as it is shown and printed here. */
export interface Taken {
  token: string
  /** Of the visitor's own page. */
  url: string
  mine: TicketsMine
}
export interface House {
  tenant: string
  page: TicketsSitePage
  settings: Settings
}

/** The paired machine: what it may ask the server for. */
export class Machine {
  readonly #pairing = new Pairing('kiosk')
  #paired: Paired | null = this.#pairing.remembered()
  #siteId = 0
  #slug = ''
  #settings: Settings = {}
  #queueIds: readonly number[] = []
  paper: Paper = 'ok'

  /** Pairs where it must, and learns where it stands. */
  async open(onCode: (code: PairingCode) => void): Promise<void> {
    for (;;) {
      this.#paired ??= await this.#pairing.pair(onCode)
      try {
        return await this.#learn()
      } catch (error) {
        if (!(error instanceof Problem && error.status === 401)) throw error
        this.forget()
      }
    }
  }
  /** Sent away: the next `open` asks to be paired. */
  forget(): void {
    this.#pairing.forget()
    this.#paired = null
  }

  async #learn(): Promise<void> {
    const { site_id, kiosk_id } = await this.beat()
    const { slug } = await this.#run(sitesGet, { id: site_id })
    this.#siteId = site_id
    this.#slug = slug
    if (kiosk_id === null) return
    const { settings, queue_ids } = await this.#run(kiosksGet, { id: kiosk_id })
    this.#settings = settings
    this.#queueIds = queue_ids
  }

  /** Tells that it is well, and whether there is paper. */
  beat() {
    return this.#run(devicesHeartbeat, { paper: this.paper })
  }

  async house(): Promise<House> {
    const page = await this.#run(ticketsSitePage, { slug: this.#slug })
    const lines = this.#queueIds.length === 0 ? page.lines : page.lines.filter(({ id }) => this.#queueIds.includes(id))
    return { tenant: this.#paired!.tenant, page: { ...page, lines }, settings: this.#settings }
  }

  /** @param key the same for a second press of the same button */
  async take(queueId: number, language: Language, key: string): Promise<Taken> {
    const input = { queue_id: queueId, channel: 'kiosk', language } as const
    return this.#shown(await this.#run(ticketsTake, input, key))
  }

  /** By code, by the last digits of a telephone number, or by the secret of a scanned link. */
  async arrive(typed: { code: string } | { phone_digits: string } | { link: string }): Promise<Taken> {
    const { ticket } = await this.#run(appointmentsArrive, { site_id: this.#siteId, ...typed })
    return this.#shown(ticket)
  }

  async #shown({ public_token: token, url }: { public_token: string; url: string }): Promise<Taken> {
    return { token, url, mine: await call(ticketsMine, { token }) }
  }

  #run<Input extends { tenant: string }, Output>(
    operation: Parameters<typeof call<Input, Output>>[0],
    input: Omit<Input, 'tenant'>,
    key?: string,
  ): Promise<Output> {
    const { tenant, token } = this.#paired!
    return call(operation, { ...input, tenant } as unknown as Input, { token, ...(key !== undefined && { key }) })
  }
}
