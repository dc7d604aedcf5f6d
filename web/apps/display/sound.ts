import chime from 'sound:chime'

/** Plays the chime, and knows whether the television lets it. */
export class Sound {
  readonly #onLock: (isLocked: boolean) => void
  readonly #audio = new Audio(chime)
  #isLocked = false

  constructor(onLock: (isLocked: boolean) => void) {
    this.#onLock = onLock
    this.#audio.preload = 'auto'
  }

  get isLocked(): boolean {
    return this.#isLocked
  }

  /** Resolves at the end of the chime, or at once when it may not sound. `volume` 0 to 1; 0 is silence. */
  async chime(volume: number): Promise<void> {
    if (volume === 0) return
    this.#audio.volume = volume
    this.#audio.currentTime = 0
    const ended = new Promise((done) => {
      this.#audio.onended = done
      this.#audio.onerror = done
    })
    try {
      await this.#audio.play()
      this.#lock(false)
      await ended
    } catch {
      this.#lock(true)
    }
  }

  #lock(isLocked: boolean): void {
    if (isLocked === this.#isLocked) return
    this.#isLocked = isLocked
    this.#onLock(isLocked)
  }
}
