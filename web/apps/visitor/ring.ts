import chime from 'sound:chime'

/** Times the chime is heard for one call. */
const RINGS = 3
const PULSES = [300, 150, 300, 150, 600]

/** Lets the open page ring: a tap unlocks sound, and the screen stays on while the browser allows it. */
export class Ring {
  isOn = false
  #audio: HTMLAudioElement | null = null
  #left = 0
  #lock: WakeLockSentinel | null = null

  /** Must be called from a tap. */
  async turnOn(): Promise<void> {
    this.isOn = true
    this.#audio = new Audio(chime)
    this.#audio.addEventListener('ended', () => {
      if (--this.#left > 0) void this.#audio!.play().catch(() => {})
    })
    // Played without sound inside the tap, it may be played with sound later.
    this.#audio.muted = true
    await this.#audio.play().catch(() => {})
    this.#audio.pause()
    this.#audio.muted = false
    await this.#stayOn()
    document.addEventListener('visibilitychange', () => void this.#stayOn())
  }

  /** It is the person's turn. */
  call(): void {
    if (typeof navigator.vibrate === 'function') navigator.vibrate(PULSES)
    if (!this.#audio) return
    this.#left = RINGS
    this.#audio.currentTime = 0
    void this.#audio.play().catch(() => {})
  }

  /** Browsers let go of the lock whenever the page is hidden. */
  async #stayOn(): Promise<void> {
    if (!('wakeLock' in navigator) || document.visibilityState !== 'visible') return
    this.#lock = await navigator.wakeLock.request('screen').catch(() => this.#lock)
  }
}
