import { languageTag, type Language } from '../../../shared/format.ts'
import { keep, kept } from './kept.ts'

const VOLUME = 'volume'
const DEFAULT_PERCENT = 80
/** Clips that are kept for the next time. */
const MOST_CLIPS = 200

/**
 * Says what has the focus: by a clip of the server's voice, else by a voice of that language that the machine has itself,
 * else the headset stays silent. What is wanted next ends what is being said.
 */
export class Prompter {
  readonly #clipOf: (text: string, language: Language) => Promise<string | null>
  readonly #clips = new Map<string, string>()
  #audio: HTMLAudioElement | undefined
  #wanted = 0
  volumePercent = DEFAULT_PERCENT

  /** @param clipOf address of a text's clip, null where the server has no voice */
  constructor(clipOf: (text: string, language: Language) => Promise<string | null>) {
    this.#clipOf = clipOf
    void kept<number>(VOLUME).then((percent) => (this.volumePercent = percent ?? DEFAULT_PERCENT))
  }

  async setVolume(percent: number): Promise<void> {
    this.volumePercent = percent
    await keep(VOLUME, percent)
  }

  async say(text: string, language: Language): Promise<void> {
    const words = text.replace(/\s+/g, ' ').trim()
    if (!words) return
    const turn = ++this.#wanted
    this.#audio?.pause()
    if ('speechSynthesis' in globalThis) speechSynthesis.cancel()
    const clip = await this.#clip(words, language)
    if (turn !== this.#wanted) return
    if (clip === null || !(await this.#play(clip))) this.#sayItself(words, language)
  }

  async #clip(text: string, language: Language): Promise<string | null> {
    const key = `${language}:${text}`
    const known = this.#clips.get(key)
    if (known !== undefined) return known
    // A server that is away has no voice for now.
    const clip = await this.#clipOf(text, language).catch(() => null)
    if (clip === null) return null
    if (this.#clips.size >= MOST_CLIPS) this.#clips.clear()
    this.#clips.set(key, clip)
    return clip
  }

  async #play(clip: string): Promise<boolean> {
    const audio = new Audio(clip)
    audio.volume = this.volumePercent / 100
    this.#audio = audio
    try {
      await audio.play()
      return true
    } catch (error) {
      // Interrupted by the next is as good as said.
      return error instanceof DOMException && error.name === 'AbortError'
    }
  }

  #sayItself(text: string, language: Language): void {
    if (!('speechSynthesis' in globalThis)) return
    const voice = speechSynthesis.getVoices().find((each) => each.localService && each.lang.startsWith(language))
    if (!voice) return
    const utterance = new SpeechSynthesisUtterance(text)
    utterance.voice = voice
    utterance.lang = languageTag(language)
    utterance.volume = this.volumePercent / 100
    speechSynthesis.speak(utterance)
  }
}
