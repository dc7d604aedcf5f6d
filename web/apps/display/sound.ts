import chime from 'sound:chime'

/** A clip that does not come to its end, on a bad line, gives up the stage. */
const LONGEST_CLIP_SECONDS = 12

/** Plays the chime and spoken clips, and knows whether the television lets it. */
export class Sound {
  readonly #onLock: (isLocked: boolean) => void
  readonly #chime = load(chime)
  #isLocked = false

  constructor(onLock: (isLocked: boolean) => void) {
    this.#onLock = onLock
  }

  get isLocked(): boolean {
    return this.#isLocked
  }

  /** Resolves at the end of the chime, or at once when it may not sound. `volume` 0 to 1; 0 is silence. */
  chime(volume: number): Promise<void> {
    return this.#play(this.#chime, volume)
  }

  /** Speaks one language after the other, while it goes on; a clip that cannot be played is left out. */
  async speak(
    languages: readonly (readonly HTMLAudioElement[])[],
    volume: number,
    goesOn: () => boolean,
  ): Promise<void> {
    for (const clips of languages) {
      if (clips !== languages[0] && !goesOn()) return
      for (const clip of clips) await this.#play(clip, volume)
    }
  }

  async #play(audio: HTMLAudioElement, volume: number): Promise<void> {
    if (volume === 0 || audio.error) return
    audio.volume = volume
    audio.currentTime = 0
    const ended = new Promise((done) => {
      audio.onended = done
      audio.onerror = done
      setTimeout(done, LONGEST_CLIP_SECONDS * 1000)
    })
    try {
      await audio.play()
      this.#lock(false)
      await ended
    } catch {
      // What could not be loaded says nothing about what the television lets us do.
      if (!audio.error) this.#lock(true)
    }
  }

  #lock(isLocked: boolean): void {
    if (isLocked === this.#isLocked) return
    this.#isLocked = isLocked
    this.#onLock(isLocked)
  }
}

/** A sound that begins to load at once. */
export function load(url: string): HTMLAudioElement {
  const audio = new Audio(url)
  audio.preload = 'auto'
  return audio
}
