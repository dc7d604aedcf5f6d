import { call, Problem, type CallOptions } from '../../data/api.ts'
import {
  appointmentsArrive,
  devicesHeartbeat,
  kiosksCheckPin,
  kiosksGet,
  kiosksPrompt,
  messagesPrefer,
  sitesGet,
  ticketsMine,
  ticketsReserveNumbers,
  ticketsSitePage,
  ticketsTake,
  ticketsTakeOffline,
  type TicketsSitePage,
} from '../../data/operations.ts'
import type { Language } from '../../../shared/format.ts'
import { Pairing, type Paired, type PairingCode } from '../../data/pairing.ts'
import type { Printed, Printer } from './printer/index.ts'
import type { Settings, Taken } from './taken.ts'
import { keep, kept } from './kept.ts'
import { forgetGiven, giveNumber, keepBlocks, queuesWithNumbers, untold } from './numbers.ts'

export interface House {
  tenant: string
  page: TicketsSitePage
  settings: Settings
  /** Switched off in the console: it gives nothing. */
  isActive: boolean
  hasPin: boolean
  /** Somebody may come here with an appointment; not without a network. */
  hasAppointments: boolean
  /** Without a network: the queues that this machine has numbers of. */
  offline: readonly number[] | null
}
/** Where it stands and what it offers, kept for a start without a network. */
interface Place {
  siteId: number
  slug: string
  settings: Settings
  queueIds: readonly number[]
  /** Absent in what an older version kept. */
  isActive?: boolean
  hasPin?: boolean
  name?: string
  page: TicketsSitePage | null
}
const PLACE = 'place'
/** A network that does not answer counts as none: sooner where a person waits. */
const PATIENCE_MS = 15_000
const TAKE_PATIENCE_MS = 8000
/** How often it tells that it is well, and reads its settings. */
const LEARN_MS = 60_000
/** So many of the last numbers, and so long, can be printed again. */
const MOST_RECENT = 3
const REMEMBER_MS = 900_000
type Paper = 'ok' | 'low' | 'out'

/** Numbers are asked for this often, and after what was given was told of. */
const RESERVE_MS = 600_000

/** The server is not there: no network, or nobody behind the one who answers. What the platform has closed is not: no number is given then. */
export const isAway = (error: unknown): boolean =>
  error instanceof Problem && [0, 502, 503, 504].includes(error.status) && error.code !== 'switched_off'

/** The paired machine: what it may ask the server for. */
export class Machine {
  readonly #pairing = new Pairing('kiosk')
  #paired: Paired | null = this.#pairing.remembered()
  #place: Place | null = null
  #learnedAt = -Infinity
  #reservedAt = 0
  #telling: Promise<void> | null = null
  /** As the printer itself, or staff, told last. */
  #paperSeen: Paper = 'ok'
  /** Staff said so. */
  #isPaperOut = false
  isPrinterStuck = false
  /** Numbers of the last minutes, for staff to print again; in memory alone. */
  #recent: readonly Taken[] = []
  #printer: Printer | undefined

  /** Pairs where it must, and learns where it stands; without a network, what it knew last. */
  async open(onCode: (code: PairingCode) => void): Promise<void> {
    for (;;) {
      this.#paired ??= await this.#pairing.pair(onCode)
      try {
        return await this.#learn()
      } catch (error) {
        if (isAway(error)) {
          this.#place = (await kept<Place>(PLACE)) ?? null
          return
        }
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
    const { site_id, kiosk_id, name: device } = await this.beat()
    const { slug } = await this.#run(sitesGet, { id: site_id })
    const { settings, queue_ids, is_active, has_staff_pin, name } =
      kiosk_id === null
        ? { settings: {}, queue_ids: [], is_active: true, has_staff_pin: false, name: device }
        : await this.#run(kiosksGet, { id: kiosk_id })
    const page = this.#place?.page ?? null
    const of = { isActive: is_active, hasPin: has_staff_pin, name }
    this.#place = { siteId: site_id, slug, settings, queueIds: queue_ids, ...of, page }
    this.#learnedAt = Date.now()
  }

  /** Its settings are not what it thought: the next look at the house reads them. */
  doubt(): void {
    this.#learnedAt = -Infinity
  }

  get paper(): Paper {
    return this.#isPaperOut ? 'out' : this.#paperSeen
  }
  /** What staff says of the paper holds until staff says otherwise: a printer's sensor may be stuck. */
  set paper(said: Paper) {
    this.#isPaperOut = said === 'out'
    this.#paperSeen = said
  }

  /** Tells that it is well, whether there is paper, and whether the printer prints. */
  async beat() {
    const printer = await this.printer()
    if (printer) this.#note(await printer.look())
    const told = printer && ({ printer: this.isPrinterStuck ? 'error' : 'ok' } as const)
    return this.#run(devicesHeartbeat, { paper: this.paper, ...told })
  }

  /** The printer behind a wire, where the settings name one: its code comes only then. */
  async printer(): Promise<Printer | undefined> {
    const { printer: wire, prints } = this.#place?.settings ?? {}
    if (!prints || !wire || wire === 'browser') return undefined
    if (this.#printer?.wire !== wire) {
      const { Printer } = await import('./printer/index.ts')
      this.#printer = new Printer(wire, () => this.#place!.settings)
    }
    return this.#printer
  }

  /**
   * Prints a ticket, or a trial without one. A browser is not told what becomes of it, so there only staff knows.
   * @returns whether it is on paper, as far as anybody can tell
   */
  async print(taken: Taken | null): Promise<boolean> {
    // Its code may not be there, without a network.
    const printer = await this.printer().catch(() => null)
    if (printer === null) this.isPrinterStuck = true
    if (printer === null) return false
    if (!printer) {
      if (this.paper !== 'out') print()
      return this.paper !== 'out'
    }
    if (taken && this.#isPaperOut) return false
    const before = [this.paper, this.isPrinterStuck].join()
    const printed = await printer.print(taken)
    this.#note(printed)
    // Whoever looks after the machine is told at once.
    if ([this.paper, this.isPrinterStuck].join() !== before) void this.beat().catch(() => {})
    return printed === 'ready' || printed === 'low'
  }
  #note(state: Printed): void {
    this.isPrinterStuck = state === 'failed'
    if (state !== 'failed') this.#paperSeen = state === 'ready' ? 'ok' : state
  }

  /** What is offered now. Without a network, what was offered last and has numbers here. */
  async house(): Promise<House> {
    try {
      if (Date.now() - this.#learnedAt > LEARN_MS) await this.#learn()
      const page = await this.#run(ticketsSitePage, { slug: this.#place!.slug })
      this.#place!.page = page
      await keep(PLACE, this.#place)
      void this.#tell().catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error
      })
      return this.#house(page, null)
    } catch (error) {
      const page = this.#place?.page
      if (!isAway(error) || !page) throw error
      return this.#house(page, await queuesWithNumbers(page.lines.map(({ id }) => id)))
    }
  }
  #house(page: TicketsSitePage, offline: House['offline']): House {
    const { queueIds, settings, isActive = true, hasPin = false } = this.#place!
    const lines = queueIds.length === 0 ? page.lines : page.lines.filter(({ id }) => queueIds.includes(id))
    const hasAppointments = offline === null && lines.some(({ takes_appointments }) => takes_appointments)
    const { tenant } = this.#paired!
    return { tenant, page: { ...page, lines }, settings, isActive, hasPin, hasAppointments, offline }
  }

  /**
   * A number from the server, or from what is held here when it is away.
   * @param key the same for a second press of the same button
   * @param phone of who wants to be told of the call, as it was typed
   */
  async take(queueId: number, language: Language, key: string, phone?: string): Promise<Taken> {
    const customer = phone === undefined ? {} : { customer: { phone, locale: language } }
    const input = { queue_id: queueId, channel: 'kiosk', language, ...customer } as const
    try {
      const taken = await this.#run(ticketsTake, input, { key, signal: AbortSignal.timeout(TAKE_PATIENCE_MS) })
      if (phone !== undefined) await this.#consent(taken.public_token)
      return this.#remember(await this.#shown(taken))
    } catch (error) {
      if (!isAway(error)) throw error
      const line = this.#place?.page?.lines.find(({ id }) => id === queueId)
      const given = line && (await giveNumber(queueId, language, key))
      if (!given) throw error
      const { page } = this.#place!
      return this.#remember({
        ...given,
        lowSeconds: null,
        highSeconds: null,
        code: line.code,
        name: line.name,
        names: line.names,
        house: page!.tenant_name,
        site: page!.site.name,
        timezone: page!.site.timezone,
        isOffline: true,
      })
    }
  }

  /** The page says that who gives a number agrees to texts. Of somebody known already a machine decides nothing. */
  async #consent(token: string): Promise<void> {
    try {
      await call(messagesPrefer, { token, sms: true }, { signal: AbortSignal.timeout(PATIENCE_MS) })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
    }
  }

  /** The last ones first; what is older than a few minutes is forgotten. */
  get lastTaken(): readonly Taken[] {
    const since = Date.now() - REMEMBER_MS
    this.#recent = this.#recent.filter(({ takenAt }) => Date.parse(takenAt) > since)
    return this.#recent
  }
  #remember(taken: Taken): Taken {
    this.#recent = [taken, ...this.lastTaken].slice(0, MOST_RECENT)
    return taken
  }

  /** What the machine is called in the console. */
  get name(): string {
    return this.#place?.name ?? ''
  }

  /** Is this the PIN of the staff's page? @throws Problem when nobody can be asked */
  async isPin(pin: string): Promise<boolean> {
    return (await this.#run(kiosksCheckPin, { pin })).is_right
  }

  /** Address of the clip of a text; null where the server has no voice. */
  async clipOf(text: string, language: Language): Promise<string | null> {
    return (await this.#run(kiosksPrompt, { text, language })).clip
  }

  /** By code, by the last digits of a telephone number, or by the secret of a scanned link. */
  async arrive(typed: { code: string } | { phone_digits: string } | { link: string }): Promise<Taken> {
    const { ticket } = await this.#run(appointmentsArrive, { site_id: this.#place!.siteId, ...typed })
    return this.#remember(await this.#shown(ticket))
  }

  /** How many numbers wait to be told of. */
  untold = async (): Promise<number> => (await untold()).length

  /** Tells of what was given without a network, in order, then asks for numbers to hold. */
  #tell(): Promise<void> {
    return (this.#telling ??= this.#tellAll().finally(() => (this.#telling = null)))
  }
  async #tellAll(): Promise<void> {
    const given = await untold()
    for (const { key, ...input } of given) {
      try {
        await this.#run(ticketsTakeOffline, input, { key })
      } catch (error) {
        // A refusal is for good; whatever passes is tried again with the next look at the house.
        if (!(error instanceof Problem) || ![404, 409, 422].includes(error.status)) throw error
        if (error.code === 'idempotency_in_flight') return
      }
      await forgetGiven(key)
    }
    if (given.length === 0 && Date.now() - this.#reservedAt < RESERVE_MS) return
    await keepBlocks(await this.#run(ticketsReserveNumbers, {}))
    this.#reservedAt = Date.now()
  }

  async #shown({ public_token, url }: { public_token: string; url: string }): Promise<Taken> {
    const mine = await call(ticketsMine, { token: public_token }, { signal: AbortSignal.timeout(PATIENCE_MS) })
    return {
      number: mine.ticket.number,
      url,
      check: mine.check,
      takenAt: mine.ticket.created_at,
      lowSeconds: mine.ticket.eta_low_seconds,
      highSeconds: mine.ticket.eta_high_seconds,
      code: mine.service_code,
      name: mine.service_name,
      names: mine.service_names,
      house: mine.tenant_name,
      site: mine.site_name,
      timezone: mine.timezone,
      isOffline: false,
    }
  }

  #run<Input extends { tenant: string }, Output>(
    operation: Parameters<typeof call<Input, Output>>[0],
    input: Omit<Input, 'tenant'>,
    options: CallOptions = {},
  ): Promise<Output> {
    const { tenant, token } = this.#paired!
    const signal = AbortSignal.timeout(PATIENCE_MS)
    return call(operation, { ...input, tenant } as unknown as Input, { token, signal, ...options })
  }
}
