import { LiveClient } from '../../../shared/live-client.ts'
import { applyDisplay, type Call, type Display } from '../../../shared/views.ts'
import { data, element, liveUrl, make, showStatus, text, type PageData } from './page.ts'

interface DisplayData extends PageData {
  tenant: string
  displayId: number
  linkToken: string
}
const { tenant, displayId, linkToken } = data<DisplayData>()
/** A call fills the screen for this long. */
const CALL_SHOWN_MS = 20_000

let quiet: ReturnType<typeof setTimeout> | undefined

function show(view: Display): void {
  const [latest, ...before] = view.recent
  element('calls').replaceChildren(...before.slice(0, 7).map(row))
  element('waiting').replaceChildren(
    ...view.queues.map(({ name, waiting_count }) => make('span', '', `${name}: ${waiting_count}`)),
  )
  if (!latest) return
  element('number').textContent = latest.number
  element('where').textContent = latest.counter_name ?? ''
  const age = Date.now() - Date.parse(latest.at)
  const isFresh = age < CALL_SHOWN_MS
  element('calling').classList.toggle('quiet', !isFresh)
  clearTimeout(quiet)
  if (isFresh) quiet = setTimeout(() => element('calling').classList.add('quiet'), CALL_SHOWN_MS - age)
}

function row({ number, counter_name }: Call): HTMLElement {
  return make('li', '', make('strong', '', number), make('span', '', counter_name ?? ''))
}

/** The link's token opens no feed; it is exchanged for an access token before every connection. */
async function address() {
  const response = await fetch(`/display/${tenant}/${displayId}/access?token=${encodeURIComponent(linkToken)}`)
  if (!response.ok) {
    element('status').textContent = text('page.link_expired')
    throw new Error('refused')
  }
  const { access } = (await response.json()) as { access: string }
  return {
    url: liveUrl(`/ws/tenants/${tenant}/displays/${displayId}/`),
    protocols: ['smartqueue.v1', `bearer.${access}`],
  }
}

new LiveClient({ address, WebSocket, reduce: applyDisplay, onChange: show, onStatus: showStatus, heartbeatSeconds: 5 })
