/** What runs inside a page that is measured: each function is sent there whole and knows nothing of this file. */

/** Presses the key and waits until the frame with another number has been painted; milliseconds. */
export function pressAndPaint(): Promise<number> {
  const shown = () => document.querySelector('[data-current]')?.getAttribute('data-current')
  const before = shown()
  const pressedAt = performance.now()
  dispatchEvent(new KeyboardEvent('keydown', { key: 'n', code: 'KeyN', cancelable: true }))
  return new Promise((resolve) => {
    const look = () => {
      if (shown() === before) requestAnimationFrame(look)
      // After the frame's own work comes a task: by then it is painted.
      else setTimeout(() => resolve(performance.now() - pressedAt))
    }
    requestAnimationFrame(look)
  })
}

/** When something that fits was painted, by the machine's clock. */
export function whenShown(selector: string): Promise<number> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.querySelector(selector)) setTimeout(() => resolve(Date.now()))
      else requestAnimationFrame(look)
    }
    look()
  })
}

export function whenTextShown(text: string): Promise<number> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.body.textContent.includes(text)) setTimeout(() => resolve(Date.now()))
      else requestAnimationFrame(look)
    }
    look()
  })
}

/** Presses the key of a letter; when, by the machine's clock. */
export function press(letter: string): number {
  const at = Date.now()
  dispatchEvent(new KeyboardEvent('keydown', { key: letter, code: `Key${letter.toUpperCase()}`, cancelable: true }))
  return at
}

/** What `watchLoad` gathers, in milliseconds but for the shift. */
export interface Load {
  usable: number
  painted: number
  shift: number
  /** Slowest answer to a tap, from the tap to the frame. */
  interaction: number
}

/** From the first moment of a page: paints, shifts, taps, and when the button that only scripts draw is there. */
export function watchLoad(usable: string): void {
  const load: Load = { usable: 0, painted: 0, shift: 0, interaction: 0 }
  Object.assign(globalThis, { load })
  const watch = (type: string, take: (entry: PerformanceEntry) => void, more: object = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...more })
  watch('largest-contentful-paint', (entry) => (load.painted = entry.startTime))
  // As browsers report it (web.dev/articles/cls): the worst burst, of five seconds at most and without a pause of one.
  let burst = { from: -Infinity, to: -Infinity, sum: 0 }
  watch('layout-shift', (entry) => {
    const { value, hadRecentInput, startTime } = entry as PerformanceEntry & { value: number; hadRecentInput: boolean }
    if (hadRecentInput) return
    const isOver = startTime - burst.to > 1000 || startTime - burst.from > 5000
    burst = { from: isOver ? startTime : burst.from, to: startTime, sum: (isOver ? 0 : burst.sum) + value }
    load.shift = Math.max(load.shift, burst.sum)
  })
  watch(
    'event',
    (entry) => {
      if ((entry as PerformanceEntry & { interactionId: number }).interactionId > 0)
        load.interaction = Math.max(load.interaction, entry.duration)
    },
    { durationThreshold: 16 },
  )
  const look = () => {
    if (document.querySelector(usable)) setTimeout(() => (load.usable = performance.now()))
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}

/** From now on: the longest task, and whether anything but keys was used. */
export function watchDesk(): void {
  const seen = { longestTask: 0, mouse: 0 }
  Object.assign(globalThis, { seen })
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.longestTask = Math.max(seen.longestTask, duration)
  }).observe({ type: 'longtask' })
  for (const type of ['pointerdown', 'mousedown', 'click', 'touchstart'])
    addEventListener(type, () => seen.mouse++, { capture: true })
}
