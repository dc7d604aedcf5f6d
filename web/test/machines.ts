import { spawnSync } from 'node:child_process'
import type { Page } from 'playwright-core'
import { startSite, type OpenOptions } from './site.ts'

export const KIOSK = { width: 1080, height: 1920 }

export const SERIAL = { prints: true, printer: 'serial' }
/** The server's voice is there. */
export const canSpeak = spawnSync('espeak-ng', ['--version']).status === 0

/** A site with ticket machines. Their clock is moved by the test: nobody waits for a minute. */
export async function startMachines() {
  const site = await startSite({ queues: 3 })
  const { server, bank, run, open } = site
  const { admin } = bank
  const site_id = bank.sites[0]!.id
  await server.owner(
    `update services set names = jsonb_build_object('fr', 'Service ' || code, 'en', 'Service ' || code, 'ar', 'خدمة ' || code)`,
  )

  /** A machine that staff has adopted, with these settings; prints are counted instead of made. */
  async function aKiosk(settings: object = {}, { prepare, ...options }: OpenOptions = {}) {
    const kiosk = await run(admin, 'POST', '/kiosks/', { site_id, name: 'Entrée', settings })
    const opened = await open('/kiosk', {
      viewport: KIOSK,
      isLast: true,
      ...options,
      async prepare(page) {
        await page.clock.install()
        await page.addInitScript(() => {
          const world = { prints: 0, spoken: [] as string[], clips: [] as [string, number][] }
          Object.assign(globalThis, { world })
          globalThis.print = () => void world.prints++
          speechSynthesis.getVoices = () =>
            ['fr-FR', 'ar-MA', 'en-GB'].map((lang) => ({ lang, localService: true }) as SpeechSynthesisVoice)
          speechSynthesis.speak = ({ text }) => void world.spoken.push(text)
          HTMLMediaElement.prototype.play = function (this: HTMLMediaElement) {
            world.clips.push([decodeURIComponent(this.src.replace(/^[^?]*text=/, '')), this.volume])
            return Promise.resolve()
          }
          Object.defineProperty(SpeechSynthesisUtterance.prototype, 'voice', { set() {} })
        })
        await prepare?.(page)
      },
    })
    const { page } = opened
    await page.waitForSelector('.pairing-code')
    const code = (await page.textContent('.pairing-code'))!.trim()
    const device = await run(admin, 'POST', '/devices/pair/', {
      code,
      kind: 'kiosk',
      site_id,
      name: 'Borne',
      kiosk_id: kiosk['id'],
    })
    await page.clock.runFor(3000)
    await page.waitForSelector('[data-step=welcome]')
    // They have not gone by for the server.
    await page.clock.setSystemTime(Date.now())
    return { ...opened, device, kioskId: kiosk['id'] as number }
  }
  const world = (page: Page) =>
    page.evaluate('world') as Promise<{ prints: number; spoken: string[]; clips: [string, number][] }>
  async function choose(page: Page, language = 'fr') {
    await page.click(`.language[lang=${language}]`)
    await page.waitForSelector('[data-step=services]')
  }
  async function take(page: Page) {
    await page.click('.tile')
    await page.waitForSelector('[data-number]')
    return (await page.getAttribute('[data-number]', 'data-number'))!
  }
  const statusOf = async (number: string) =>
    (
      await server.owner('select status, channel, language from tickets where number = $1 order by id desc limit 1', [
        number,
      ])
    )[0]

  /** A printer on a serial port, as the page sees one: takes bytes, and answers how it is. */
  const withPrinter = (page: Page) =>
    page.addInitScript(() => {
      const printer = { jobs: [] as number[][], baud: 0, paper: 0x12, cause: 0x12, asked: 0, isMute: false }
      Object.assign(globalThis, { printer })
      let tell: ReadableStreamDefaultController<Uint8Array>
      const port = {
        async open({ baudRate }: { baudRate: number }) {
          printer.baud = baudRate
          port.readable = new ReadableStream<Uint8Array>({ start: (controller) => void (tell = controller) })
          port.writable = new WritableStream<Uint8Array>({
            write(bytes) {
              if (printer.isMute) throw new Error('unplugged')
              if (bytes[0] === 0x10) {
                printer.asked++
                tell.enqueue(Uint8Array.of(bytes[2] === 4 ? printer.paper : printer.cause))
              } else if (bytes[0] !== 0x1b) printer.jobs.push([...bytes])
            },
          })
        },
        async close() {},
        readable: undefined as unknown,
        writable: undefined as unknown,
      }
      const serial = { getPorts: async () => [port], requestPort: async () => port }
      Object.defineProperty(navigator, 'serial', { value: serial })
    })
  const printer = (page: Page) =>
    page.evaluate('printer') as Promise<{
      jobs: number[][]
      baud: number
      asked: number
      paper: number
      isMute: boolean
    }>
  return { ...site, site_id, aKiosk, world, choose, take, statusOf, withPrinter, printer }
}
export type Machines = Awaited<ReturnType<typeof startMachines>>
