import type { Call } from '../../../shared/views.ts'

/** The call that has the stage, or had it last. */
export interface Announcement {
  call: Call
  /** Its turn is on: yellow, with sound. */
  isNow: boolean
}

export interface AnnouncerOptions {
  /**
   * Sounds a call; resolves when it has ended. Never two at a time. `goesOn` is asked before each language but the
   * first, since others may wait by then.
   */
  sound(call: Call, goesOn: () => boolean): Promise<void>
  /** Whether the person still has to come: called and not yet served. */
  isAwaited(call: Call): boolean
  onChange(announcement: Announcement): void
}

/** How long a call has the stage, and how long when many wait for theirs. */
const STAGE_SECONDS = 5
const SHORT_STAGE_SECONDS = 2.5
/** More than so many waiting calls shorten every stage. */
const MANY = 3
/** A call that nobody followed is said once more after this pause. */
const REPEAT_SECONDS = 8
/** Without another call the last one stays yellow for this long. */
const NOW_SECONDS = 20

/** Gives every call its turn: one after the other, none left out, none over another. */
export class Announcer {
  readonly #options: AnnouncerOptions
  readonly #waiting: Call[] = []
  #isRunning = false
  #idle: ReturnType<typeof setTimeout> | undefined
  #repeat: ReturnType<typeof setTimeout> | undefined

  constructor(options: AnnouncerOptions) {
    this.#options = options
  }

  /** A call has the stage, or waits for it. */
  get isBusy(): boolean {
    return this.#isRunning
  }

  announce(call: Call): void {
    this.#waiting.push(call)
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    clearTimeout(this.#idle)
    clearTimeout(this.#repeat)
    let call: Call | undefined
    while (this.#waiting.length > 0) {
      call = this.#waiting.shift()!
      this.#options.onChange({ call, isNow: true })
      const isShort = this.#waiting.length >= MANY
      await Promise.all([
        this.#options.sound(call, () => this.#waiting.length < MANY),
        pause(isShort ? SHORT_STAGE_SECONDS : STAGE_SECONDS),
      ])
    }
    this.#isRunning = false
    if (call) this.#rest(call)
  }

  /** Once more, unless somebody else is called meanwhile. */
  async #again(call: Call): Promise<void> {
    if (this.#isRunning || !this.#options.isAwaited(call)) return
    this.#isRunning = true
    await this.#options.sound(call, () => this.#waiting.length === 0)
    this.#isRunning = false
    if (this.#waiting.length > 0) void this.#run()
  }

  /** Nobody else was called: say it once more where it is needed, then calm down. */
  #rest(call: Call): void {
    this.#repeat = setTimeout(() => void this.#again(call), REPEAT_SECONDS * 1000)
    this.#idle = setTimeout(() => this.#options.onChange({ call, isNow: false }), (NOW_SECONDS - STAGE_SECONDS) * 1000)
  }
}

const pause = (seconds: number) => new Promise<void>((done) => setTimeout(done, seconds * 1000))
