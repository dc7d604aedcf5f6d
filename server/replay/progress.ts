/** Where the report goes: `process.stdout` or a test's collector. */
export interface Out {
  write(text: string): unknown
  isTTY?: boolean | undefined
  columns?: number | undefined
}

const TTY_MS = 250
const LOG_MS = 10_000

/** One live line: rewritten in place on a terminal, a line every ten seconds elsewhere. */
export class Progress {
  #out: Out
  #last = Number.NEGATIVE_INFINITY

  constructor(out: Out) {
    this.#out = out
  }

  /** Shows `line()` when it is time to; it is not even built otherwise. */
  show(line: () => string): void {
    const now = performance.now()
    if (now - this.#last < (this.#out.isTTY ? TTY_MS : LOG_MS)) return
    this.#last = now
    const text = line()
    this.#out.write(this.#out.isTTY ? `\r\u001b[2K${text.slice(0, (this.#out.columns ?? 120) - 1)}` : `${text}\n`)
  }

  /** Leaves the line behind, so that what follows starts on its own. */
  end(): void {
    if (this.#out.isTTY && this.#last > Number.NEGATIVE_INFINITY) this.#out.write('\r\u001b[2K')
    this.#last = Number.NEGATIVE_INFINITY
  }
}
