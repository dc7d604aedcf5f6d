import { useEffect, type ComponentType } from 'react'
import type { Language } from '../../../../shared/format.ts'
import type { IconName } from '../../../ui/icons.ts'
import { call, Problem, type Operation } from '../../../data/api.ts'
import { agentsList, type AgentsGet, type AuthSession } from '../../../data/operations.ts'
import { announce } from '../../../ui/announce.ts'
import { t, type MessageKey } from '../../../ui/messages.ts'
import { preferences } from '../state/preferences.ts'
import { isSignedOut, signOut, type SignedIn } from '../state/session.ts'
import { Store } from '../state/store.ts'

export interface PageProps {
  shell: Shell
  /** What follows the page's own path in the address: `12` of `/app/admin/queues/12`. */
  rest: string
}
/** Pages of one kind of work: a folder each, with texts of their own that come with the first of its pages. */
export interface Area {
  title: MessageKey
  icon: IconName
  texts?: Record<Language, () => Promise<unknown>>
}
export interface Page {
  id: string
  area: Area
  /** Below `/app/`. The longest one that an address begins with is shown. */
  path: string
  title: MessageKey
  /** Heading below which an area with many pages has it. */
  group?: MessageKey
  /** Opens it after `G`: the letter where it lies on a Latin keyboard. */
  key?: string
  roles: readonly AuthSession['role'][]
  /** All of them are needed. */
  scopes: readonly AuthSession['scopes'][number][]
  /** Only for who has a desk at a site. */
  needsDesk?: true
  load(): Promise<{ default: ComponentType<PageProps> }>
}

/** Does the server answer this person on that page? The menu, the palette and the keys know only such pages. */
export const mayOpen = ({ roles, scopes }: Page, session: Pick<AuthSession, 'role' | 'scopes'>): boolean =>
  roles.includes(session.role) && scopes.every((scope) => session.scopes.includes(scope))

/** The page of an address, and what follows its path. */
export function pageOf(pages: readonly Page[], path: string): { page: Page; rest: string } | null {
  const page = pages
    .filter((each) => path === each.path || path.startsWith(`${each.path}/`))
    .toSorted((a, b) => b.path.length - a.path.length)[0]
  return page ? { page, rest: path.slice(page.path.length + 1) } : null
}

/** What a page can do now: the palette lists it, its key does it, the sheet of keys names it. */
export interface ShellCommand {
  id: string
  label: string
  /** In the spelling of `keyOf`. */
  key?: string
  isPossible?(): boolean
  run(): void
}
/** Where `G` and one more key leads, beside the pages. */
export interface GoTarget {
  key: string
  label: string
  run(): void
}
export interface ShellState {
  sheet: 'palette' | 'help' | 'account' | null
  /** `G` was pressed and a letter is awaited. */
  isGoing: boolean
  /** Desks of the person, or null while that is asked. */
  desks: AgentsGet[] | null
  /** Said below the bar until the next thing is said. */
  notice: { text: string; kind: 'info' | 'problem' } | null
}

/** What every page of the console shares: who is signed in, operations as that person, commands, and notices. */
export class Shell extends Store<ShellState> {
  readonly session: SignedIn
  readonly #pages: readonly Page[]
  readonly #onSignedOut: () => void
  readonly #leavings = new Set<() => Promise<void>>()
  commands: readonly ShellCommand[] = []
  targets: readonly GoTarget[] = []
  /** Commands and keys of its own (the desk): only `G` and the menu are the shell's. */
  hasOwnKeys = false

  constructor(session: SignedIn, pages: readonly Page[], onSignedOut: () => void) {
    super({ sheet: null, isGoing: false, desks: null, notice: null })
    this.session = session
    this.#pages = pages
    this.#onSignedOut = onSignedOut
    void this.#loadDesks()
  }

  /** The pages that lead somewhere for this person, in the order of the menu. */
  get pages(): readonly Page[] {
    return this.#pages.filter(
      (page) => mayOpen(page, this.session) && !(page.needsDesk && this.state.desks?.length === 0),
    )
  }
  /** Leads the address to a page for who has a desk, which this person has not? */
  lacksDesk(path: string): boolean {
    return this.state.desks?.length === 0 && pageOf(this.#pages, path)?.page.needsDesk === true
  }
  /** Slug of the organisation; only operators of the platform are signed in without one. */
  get tenant(): string {
    return this.session.tenant?.slug ?? ''
  }
  /** Zone of the organisation; a site's own stands with the site. */
  get timeZone(): string {
    return this.session.tenant?.timezone ?? 'UTC'
  }

  /**
   * Runs an operation as the signed-in person, in the organisation unless the input names another.
   * @throws Problem when it is refused; a session that has ended leads back to the sign-in
   */
  async run<Input, Output>(
    operation: Operation<Input, Output>,
    input: Omit<Input, 'tenant'> & { tenant?: string },
    options: { key?: string; signal?: AbortSignal } = {},
  ): Promise<Output> {
    const place = operation.path.includes('{tenant}') ? { tenant: this.tenant } : {}
    try {
      return await call(operation, { ...place, ...input } as unknown as Input, {
        csrf: this.session.csrf_token ?? '',
        ...options,
      })
    } catch (error) {
      if (isSignedOut(error)) this.#onSignedOut()
      throw error
    }
  }

  say(text: string, kind: 'info' | 'problem' = 'info'): void {
    this.set({ notice: { text, kind } })
    announce(text)
  }
  /** Says why something was refused, in the reader's language. */
  refuse = (error: unknown): void => this.say(problemText(error), 'problem')

  /** Asked and awaited before the session ends, e.g. to leave a counter. */
  beforeSignOut(leave: () => Promise<void>): () => void {
    this.#leavings.add(leave)
    return () => void this.#leavings.delete(leave)
  }
  async signOut(): Promise<void> {
    await Promise.allSettled([...this.#leavings].map((leave) => leave()))
    await signOut(this.session).catch(() => {})
    // The answer empties this browser's storage; keys, theme and counter hold nothing about people.
    preferences.set({})
    location.replace(location.pathname + location.search)
  }
  expire = (): void => this.#onSignedOut()

  async #loadDesks(): Promise<void> {
    if (!this.session.tenant) return this.set({ desks: [] })
    const { results } = await this.run(agentsList, { user: this.session.user.id, is_active: true }).catch(() => ({
      results: [] as AgentsGet[],
    }))
    this.set({ desks: results })
  }
}

/** What a refusal says to people. */
export const problemText = (error: unknown): string =>
  error instanceof Problem && error.status !== 0 ? error.message : t('console.not_sent')

/** Gives the page's commands to the keys, the palette and the sheet of keys for as long as the page is shown. */
export function useCommands(shell: Shell, commands: readonly ShellCommand[], targets: readonly GoTarget[] = []): void {
  useEffect(() => {
    shell.commands = commands
    shell.targets = targets
    return () => {
      shell.commands = []
      shell.targets = []
    }
  })
}
