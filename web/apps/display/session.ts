import { call, Problem } from '../../data/api.ts'
import { devicesHeartbeat } from '../../data/operations.ts'
import { Pairing, pause, type Paired, type PairingCode } from '../../data/pairing.ts'

/** What the server writes into the page: empty for a screen that asks to be paired. */
export interface PageData {
  tenant?: string
  display_id?: number
  /** Of the link that was typed into the television. */
  link_token?: string
}

/** How this screen reads its display. */
export interface Session {
  tenant: string
  displayId: number
  /** A token that opens the display's feed now. @throws Problem 401 when the screen was sent away */
  token(): Promise<string>
  /** Tells how the screen is; nothing for one that was opened by a link. */
  report(state: { sound: 'ok' | 'locked' }): Promise<void>
}

const pairing = new Pairing('display')
/** A paired screen without a display asks again so often whether it was given one. */
const ASK_SECONDS = 5
/** The screen's right to read: its link's, the pairing it remembers, or a new one, which `onCode` is told of. */
export async function openSession(data: PageData, onCode: (code: PairingCode) => void): Promise<Session> {
  if (data.tenant && data.display_id && data.link_token)
    return linkSession(data.tenant, data.display_id, data.link_token)
  for (;;) {
    const stored = pairing.remembered() ?? (await pairing.pair(onCode))
    const session = await deviceSession(stored)
    if (session) return session
    pairing.forget()
  }
}

/** The screen was sent away: what it knew opens nothing any more. */
export const forget = (): void => pairing.forget()

function linkSession(tenant: string, displayId: number, linkToken: string): Session {
  return {
    tenant,
    displayId,
    async token() {
      const response = await fetch(`/display/${tenant}/${displayId}/access?token=${encodeURIComponent(linkToken)}`)
      if (!response.ok) throw new Problem(response.status, { code: 'link_expired' })
      return ((await response.json()) as { access: string }).access
    },
    report: () => Promise.resolve(),
  }
}

/** Null when the device was revoked. Waits until the device is given a display. */
async function deviceSession({ tenant, token }: Paired): Promise<Session | null> {
  let told: { sound?: 'ok' | 'locked' } = {}
  const beat = () => call(devicesHeartbeat, { tenant, ...told }, { token })
  for (;;) {
    try {
      const { display_id: displayId } = await beat()
      if (displayId !== null) {
        return {
          tenant,
          displayId,
          async token() {
            await beat()
            return token
          },
          async report(state) {
            told = state
            await beat()
          },
        }
      }
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null
      if (!(error instanceof Problem)) throw error
    }
    await pause(ASK_SECONDS)
  }
}
