import type { VNode } from 'preact'
import { applyDisplay, type Call, type Display } from '../../../shared/views.ts'
import type { LiveEvent } from '../../../shared/board.ts'
import { call, Problem } from '../../data/api.ts'
import { follow, type Following } from '../../data/live.ts'
import { displaysAnnouncement, displaysScreen, type DisplaysScreen } from '../../data/operations.ts'
import { Announcer } from './announcer.ts'
import { callsSince, START, volumeOf, type Model } from './model.ts'
import { isRestTime } from './rest.ts'
import { Screen } from './screen.tsx'
import { forget, openSession, type PageData, type Session } from './session.ts'
import { Sound } from './sound.ts'
import { Voice } from './voice.ts'

/** After so much silence people are told that the link is lost. */
const STALE_SECONDS = 10
const REPORT_SECONDS = 60
const RETRY_SECONDS = 5
/** Playlists, the house's name and its look change without an event of the display. */
const LEARN_SECONDS = 60
type DisplayEvent = LiveEvent & { display?: Display['display'] }

/** A wall: one state, drawn anew whenever it changes, for days. */
export class Wall {
  readonly #data: PageData
  readonly #draw: (tree: VNode) => void
  readonly #startedAt = Date.now()
  #model: Model = { ...START, now: Date.now() }
  #session: Session | undefined
  #following: Following<Display> | undefined
  #announcer = this.#newAnnouncer()
  #isLearning = false
  readonly #sound = new Sound((isSoundLocked) => {
    this.#set({ isSoundLocked })
    this.#report()
  })

  readonly #voice = new Voice(async ({ ticket_id }) => {
    const { tenant, displayId: id } = this.#session!
    return call(displaysAnnouncement, { tenant, id, ticket_id }, { token: await this.#token() })
  })

  constructor(data: PageData, draw: (tree: VNode) => void) {
    this.#data = data
    this.#draw = draw
  }

  /** Until the page is closed: pairs or enters, shows, and starts over when it is sent away. */
  async run(): Promise<void> {
    setInterval(() => this.#tick(), 1000)
    setInterval(() => this.#report(), REPORT_SECONDS * 1000)
    this.#set({})
    this.#session = await openSession(this.#data, (pairing) => this.#set({ pairing }))
    await this.#learn()
    if (this.#model.isSentAway) return
    const { tenant, displayId } = this.#session
    setInterval(() => this.#isLearning || void this.#learn(), LEARN_SECONDS * 1000)
    this.#following = follow<Display, DisplayEvent>({
      path: `/ws/tenants/${tenant}/displays/${displayId}/`,
      token: () => this.#token(),
      reduce: applyDisplay,
      onView: (view, event) => this.#take(view, event),
      onFreshness: (freshness) => this.#set({ freshness }),
      staleSeconds: STALE_SECONDS,
    })
  }

  async #token(): Promise<string> {
    try {
      return await this.#session!.token()
    } catch (error) {
      if (error instanceof Problem && (error.status === 401 || error.status === 404)) this.#leave()
      throw error
    }
  }

  /** Nothing of the house stays on a screen that may not show it. */
  #leave(): void {
    this.#following?.close()
    this.#announcer = this.#newAnnouncer()
    const isLink = this.#data.link_token !== undefined
    this.#model = { ...START, now: Date.now(), isSentAway: isLink }
    this.#set({})
    if (isLink) return
    forget()
    // A paired screen asks for a new pairing.
    location.reload()
  }

  async #learn(): Promise<void> {
    this.#isLearning = true
    for (;;) {
      try {
        const { tenant, displayId: id } = this.#session!
        const screen = await call(displaysScreen, { tenant, id }, { token: await this.#token() })
        this.#isLearning = false
        dress(screen.display.settings.theme)
        return this.#set({ screen })
      } catch {
        if (this.#model.isSentAway) return
        await new Promise((done) => setTimeout(done, RETRY_SECONDS * 1000))
      }
    }
  }

  #take(view: Display, event: DisplayEvent | null): void {
    const before = this.#model.view
    this.#set({ view })
    if (event?.display) void this.#learn()
    const [last] = view.recent
    if (before) {
      // After a break that only a snapshot could mend, whoever was called meanwhile may still have to come.
      for (const each of callsSince(before, view)) if (event || this.#isAwaited(each)) this.#announcer.announce(each)
    }
    // A screen that was switched on late shows the last call, without noise.
    else if (last && this.#isAwaited(last)) this.#set({ announcement: { call: last, isNow: false } })
  }

  #newAnnouncer(): Announcer {
    return new Announcer({
      sound: (each, goesOn) => this.#announce(each, goesOn),
      isAwaited: (each) => this.#isAwaited(each),
      onChange: (announcement) => this.#set({ announcement }),
    })
  }

  /** The chime, while the clips load, and then the voice. */
  async #announce(each: Call, goesOn: () => boolean): Promise<void> {
    const volume = volumeOf(this.#model, 'voice')
    const clips = volume > 0 ? this.#voice.clipsOf(each) : []
    await this.#sound.chime(volumeOf(this.#model))
    await this.#sound.speak(await clips, volume, goesOn)
  }

  #isAwaited({ ticket_id }: Call): boolean {
    return this.#model.view?.called.some(({ id, status }) => id === ticket_id && status === 'appelé') ?? false
  }

  #report(): void {
    const state = { sound: this.#sound.isLocked ? 'locked' : 'ok' } as const
    this.#session?.report(state).catch((error: unknown) => {
      if (error instanceof Problem && error.status === 401) this.#leave()
    })
  }

  #tick(): void {
    this.#set({ now: Date.now() })
    const { screen, view } = this.#model
    // Televisions leak: a fresh page every night, when nobody looks.
    if (
      screen &&
      view?.called.length === 0 &&
      !this.#announcer.isBusy &&
      isRestTime(this.#startedAt, screen.site.timezone)
    )
      location.reload()
  }

  #set(change: Partial<Model>): void {
    this.#model = { ...this.#model, ...change }
    this.#draw(<Screen model={this.#model} onUnlockSound={() => void this.#sound.chime(volumeOf(this.#model))} />)
  }
}

/** Colours of the page: dark ones for a dim room, light ones, or (`wall`) the darkest ground, which is the default. */
function dress(theme: DisplaysScreen['display']['settings']['theme'] = 'wall'): void {
  const { dataset } = document.documentElement
  if (theme === 'light') delete dataset['theme']
  else dataset['theme'] = 'dark'
  if (theme === 'wall') dataset['density'] = 'wall'
  else delete dataset['density']
}
