import { median } from '../measure/stats.ts'
import type { Verdict } from '../goals.ts'
import type { World } from './world.ts'

/** A ticket machine's processor is slower than this one; its network is the house's. */
const SLOWDOWN = 4

interface Taken {
  feedback: number
  shown: number
  printed: number
}

/** Sent into the page whole: presses the first service, and waits for its frame, the number, and the printer's bytes. */
function takeOne(): Promise<Taken> {
  const world = globalThis as unknown as { job: Promise<void>; nextJob(): Promise<void> }
  const job = world.nextJob()
  const tile = document.querySelector<HTMLElement>('.tile')!
  const at = performance.now()
  const since = () => performance.now() - at
  const frame = (until: () => boolean) =>
    new Promise<number>((done) => {
      const look = () => (until() ? setTimeout(() => done(since())) : requestAnimationFrame(look))
      requestAnimationFrame(look)
    })
  tile.click()
  // The buttons are dimmed as soon as one is pressed.
  const feedback = frame(() => !document.querySelector('.tile:not([disabled])'))
  const shown = frame(() => document.querySelector('[data-number]') !== null)
  return Promise.all([feedback, shown, job.then(since)]).then(([first, second, third]) => ({
    feedback: first,
    shown: second,
    printed: third,
  }))
}

/** A printer on a serial port that takes everything at once and says that it is well. */
function withPrinter(): void {
  let done = () => {}
  Object.assign(globalThis, { nextJob: () => new Promise<void>((resolve) => (done = resolve)) })
  let tell: ReadableStreamDefaultController<Uint8Array>
  const port = {
    async open() {
      Object.assign(port, {
        readable: new ReadableStream<Uint8Array>({ start: (controller) => void (tell = controller) }),
        writable: new WritableStream<Uint8Array>({
          write(bytes) {
            if (bytes[0] === 0x10) tell.enqueue(Uint8Array.of(0x12))
            else if (bytes[0] === 0x1d) done()
          },
        }),
      })
    },
    close: async () => {},
  }
  Object.defineProperty(navigator, 'serial', { value: { getPorts: async () => [port], requestPort: async () => port } })
}

/** K1: from the press to the frame that answers it, to the number, to the bytes at the printer. */
export async function tickets(
  { browser, url, many }: World,
  pair: (code: string) => Promise<void>,
): Promise<Verdict[]> {
  const context = await browser.newContext({ viewport: { width: 1080, height: 1920 }, locale: 'fr-FR' })
  const page = await context.newPage()
  await page.addInitScript(withPrinter)
  await page.goto(`${url}/kiosk`)
  await page.waitForSelector('.pairing-code')
  await pair((await page.textContent('.pairing-code'))!.trim())
  await page.waitForSelector('[data-step=welcome]')
  const debug = await context.newCDPSession(page)
  await debug.send('Emulation.setCPUThrottlingRate', { rate: SLOWDOWN })
  const found: Taken[] = []
  for (let n = 0; n < Math.max(2, many(20)); n++) {
    await page.click('.language')
    await page.waitForSelector('.tile')
    found.push(await page.evaluate(takeOne))
    await page.click('[data-kind=primary]')
    await page.waitForSelector('[data-step=welcome]')
  }
  await context.close()
  const middle = (name: keyof Taken) => median(found.map((each) => each[name]))
  return [
    { text: `K1 press to the frame that answers it, ${SLOWDOWN}× CPU, ms`, atMost: 100, measured: middle('feedback') },
    { text: `K1 press to the number on the screen, ${SLOWDOWN}× CPU, ms`, atMost: 1000, measured: middle('shown') },
    { text: `K1 press to the bytes at the printer, ${SLOWDOWN}× CPU, ms`, atMost: 1500, measured: middle('printed') },
  ]
}
