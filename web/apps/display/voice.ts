import type { Call } from '../../../shared/views.ts'
import type { DisplaysAnnouncement } from '../../data/operations.ts'
import { load } from './sound.ts'

/** A server that takes longer is not waited for: the number is on the screen. */
const PATIENCE_SECONDS = 4

/** The clips of the call that has the stage, by language. */
export class Voice {
  readonly #ask: (call: Call) => Promise<DisplaysAnnouncement>
  #call: Call | undefined
  #clips: Promise<HTMLAudioElement[][]> = Promise.resolve([])

  constructor(ask: (call: Call) => Promise<DisplaysAnnouncement>) {
    this.#ask = ask
  }

  /** Clips of each language in the order they are spoken, loading; none where nobody can speak. Asked once a call. */
  clipsOf(call: Call): Promise<HTMLAudioElement[][]> {
    if (this.#call !== call) {
      this.#call = call
      this.#clips = this.#load(call)
    }
    return this.#clips
  }

  async #load(call: Call): Promise<HTMLAudioElement[][]> {
    const late = new Promise<null>((done) => setTimeout(() => done(null), PATIENCE_SECONDS * 1000))
    const answer = await Promise.race([this.#ask(call).catch(() => null), late])
    return answer ? answer.voices.map(({ clips }) => clips.map(load)) : []
  }
}
