/** The printer behind a wire: loaded where a machine has one. */
import { clockTime, ticketCode, waitRange } from '../../../ui/format.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import type { Settings, Taken } from '../taken.ts'
import { ASK_CAUSE, ASK_PAPER, isStuck, paperOf, rasterJob, RESET, type PaperState } from './escpos.ts'
import { choosePort, openPort, type Port, type Wire } from './ports.ts'
import { drawSlip, type Item } from './slip.ts'

/** Printable dots of a line, by the width of the paper in millimetres. */
const DOTS = { 80: 576, 58: 384 } as const
/** Capitals of 20 mm where the number is short enough for the paper: they are 0.66 of a face's size. */
const NUMBER_DOTS = 242
const DEFAULT_BAUD = 115_200

/** What a look at the printer tells; `ready` also where it tells nothing. */
export type Printed = 'ready' | 'low' | 'out' | 'failed'

export class Printer {
  readonly wire: Wire
  readonly #settings: () => Settings
  #port: Promise<Port | undefined> | undefined
  /** One after the other: answers belong to who asked. */
  #last: Promise<unknown> = Promise.resolve()

  /** @param settings as they are when something is printed */
  constructor(wire: Wire, settings: () => Settings) {
    this.wire = wire
    this.#settings = settings
  }

  async choose(): Promise<void> {
    await choosePort(this.wire)
    await this.#close()
  }

  /** Whether it is there and has paper, by its status bytes. */
  look = (): Promise<Printed> => this.#inTurn(async (port) => this.#stateOf(port))

  /** A ticket, or what shows that it prints. */
  print(taken: Taken | null): Promise<Printed> {
    return this.#inTurn(async (port) => {
      const before = await this.#stateOf(port)
      if (before === 'out' || before === 'failed') return before
      const width = DOTS[this.#settings().paper_width_mm ?? 80]
      const items = taken ? itemsOf(taken, this.#settings()) : [testItem()]
      await port.write(rasterJob(await drawSlip(items, width, currentLanguage() === 'ar')))
      return this.#stateOf(port)
    })
  }

  async #stateOf(port: Port): Promise<Printed> {
    await port.write(ASK_CAUSE)
    const cause = await port.read()
    await port.write(ASK_PAPER)
    const byte = await port.read()
    const paper: PaperState = (byte !== undefined && paperOf(byte)) || 'ok'
    if (paper === 'out') return 'out'
    if (cause !== undefined && isStuck(cause)) return 'failed'
    return paper === 'low' ? 'low' : 'ready'
  }

  #inTurn(work: (port: Port) => Promise<Printed>): Promise<Printed> {
    const turn = this.#last.then(async (): Promise<Printed> => {
      try {
        const port = await (this.#port ??= this.#open())
        if (!port) {
          this.#port = undefined
          return 'failed'
        }
        return await work(port)
      } catch {
        // Unplugged or stuck: opened anew the next time.
        await this.#close()
        return 'failed'
      }
    })
    this.#last = turn
    return turn
  }

  async #close(): Promise<void> {
    const opened = this.#port
    this.#port = undefined
    await opened?.then((port) => port?.close()).catch(() => {})
  }

  async #open(): Promise<Port | undefined> {
    const port = await openPort(this.wire, this.#settings().baud_rate ?? DEFAULT_BAUD)
    await port?.write(RESET)
    return port
  }
}

const testItem = (): Item => ({ kind: 'text', text: t('kiosk.test'), size: 32, weight: 700 })

/** What stands on the paper. */
function itemsOf(taken: Taken, settings: Settings): Item[] {
  const text = (words: string, size = 28, weight: 400 | 700 = 400) =>
    ({ kind: 'text', text: words, size, weight }) as const
  const time = clockTime(taken.takenAt, taken.timezone)
  return [
    text(`${taken.house} · ${taken.site}`, 26),
    { kind: 'number', text: ticketCode(taken.number), size: NUMBER_DOTS },
    { ...text(taken.names[currentLanguage()] ?? taken.name, 40, 700), code: taken.code },
    ...(settings.show_wait === false || taken.isOffline
      ? [text(time)]
      : [text(`${t('kiosk.wait')} : ${waitRange(taken.lowSeconds, taken.highSeconds)} (${time})`)]),
    ...(settings.shows_qr === false
      ? []
      : [{ kind: 'qr', text: taken.url, size: 280 } as const, text(t('kiosk.phone'), 24)]),
    text(t('kiosk.paper', { check: taken.check }), 24),
    ...(taken.isOffline ? [text(t('kiosk.offline_ticket'), 24)] : []),
    text(t('kiosk.hold'), 24),
  ]
}
