import { LiveClient } from '../../../shared/live-client.ts'
import { ticketStatusName } from '../../../shared/ticket-status.ts'
import { applyAgent, type AgentView } from '../../../shared/views.ts'
import { element, liveUrl, make, showStatus, text } from './page.ts'

interface Session {
  access: string
  refresh: string
  expires_in: number
  tenant: { slug: string } | null
  user: { id: number } | null
}
interface Agent {
  id: number
  name: string
  site_id: number
  counter_id: number | null
}

/** In memory only: what a script could read from storage, a foreign script could too. */
let session: Session
let agent: Agent
let view: AgentView | null = null

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const headers: Record<string, string> = { 'accept-language': document.documentElement.lang }
  if (session) headers['authorization'] = `Bearer ${session.access}`
  if (body) headers['content-type'] = 'application/json'
  if (method === 'POST') headers['idempotency-key'] = crypto.randomUUID()
  const response = await fetch(`/api/v1${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const answer = response.status === 204 ? null : ((await response.json()) as T & { title: string })
  if (!response.ok) throw new Error(answer?.title ?? response.statusText)
  return answer as T
}

/** Runs an act and shows the refusal, if any. */
async function attempt(act: () => Promise<unknown>): Promise<void> {
  element('problem').hidden = true
  try {
    await act()
  } catch (error) {
    element('problem').textContent = (error as Error).message
    element('problem').hidden = false
  }
}

function keepSession(tokens: Session): void {
  session = tokens
  setTimeout(
    () =>
      void attempt(async () => keepSession(await call('POST', '/auth/token/refresh/', { refresh: session.refresh }))),
    (tokens.expires_in - 60) * 1000,
  )
}

async function signIn(form: HTMLFormElement): Promise<void> {
  const { email, password, tenant } = Object.fromEntries(new FormData(form)) as Record<string, string>
  keepSession(await call<Session>('POST', '/auth/token/', { email, password, ...(tenant && { tenant }) }))
  const { results } = await call<{ results: Agent[] }>('GET', `/agents/?user=${session.user!.id}&is_active=true`)
  if (!results[0]) throw new Error(text('page.permission_denied'))
  agent = results[0]
  const counters = await call<{ results: { id: number; name: string }[] }>(
    'GET',
    `/counters/?site=${agent.site_id}&is_active=true&limit=200`,
  )
  const select = element<HTMLSelectElement>('counter')
  select.replaceChildren(
    ...counters.results.map(({ id, name }) => new Option(name, String(id), false, id === agent.counter_id)),
  )
  element('sign-in').hidden = true
  element('desk').hidden = false
  element('agent-name').textContent = agent.name
  follow()
}

function follow(): void {
  new LiveClient({
    address: () => ({
      url: liveUrl(`/ws/tenants/${session.tenant!.slug}/agents/${agent.id}/`),
      protocols: ['smartqueue.v1', `bearer.${session.access}`],
    }),
    WebSocket,
    reduce: applyAgent,
    onChange: show,
    onStatus: showStatus,
    heartbeatSeconds: 5,
  })
}

function show(next: AgentView): void {
  view = next
  const { ticket, held, queues } = next
  const state = ticket ? ticketStatusName(ticket.status) : null
  element('agent-status').textContent = text(`agent_status.${next.agent.status}`)
  element('seat').textContent = next.agent.counter_name ?? ''
  element('number').textContent = ticket?.number ?? '—'
  element('state').textContent = state ? text(`ticket_status.${state}`) : text('page.no_ticket')
  element('current').className = state === 'called' ? 'card called' : 'card'
  const allowed: Record<string, boolean> = {
    'call-next': !ticket && next.agent.status === 'available',
    start: state === 'called',
    recall: state === 'called',
    'no-show': state === 'called',
    complete: state === 'serving',
    hold: state === 'serving',
  }
  for (const [verb, isAllowed] of Object.entries(allowed)) element<HTMLButtonElement>(verb).disabled = !isAllowed
  element('queues').replaceChildren(
    ...queues.map(({ name, waiting_count }) =>
      make(
        'li',
        'row',
        make('span', '', name),
        make('strong', '', text('page.waiting_count', { count: waiting_count })),
      ),
    ),
  )
  element('held').replaceChildren(
    ...held.map(({ id, number }) => {
      const resume = make('button', '', text('page.resume'))
      resume.addEventListener('click', () => void attempt(() => call('POST', `/tickets/${id}/resume/`, {})))
      return make('li', 'row', make('strong', '', number), resume)
    }),
  )
}

element<HTMLFormElement>('sign-in').addEventListener('submit', (event) => {
  event.preventDefault()
  void attempt(() => signIn(event.target as HTMLFormElement))
})
element('call-next').addEventListener(
  'click',
  () => void attempt(() => call('POST', `/agents/${agent.id}/call-next/`, {})),
)
for (const verb of ['start', 'recall', 'no-show', 'complete', 'hold']) {
  element(verb).addEventListener('click', () => {
    if (view?.ticket) void attempt(() => call('POST', `/tickets/${view!.ticket!.id}/${verb}/`, {}))
  })
}
for (const [id, status] of [
  ['go-available', 'available'],
  ['go-break', 'break'],
  ['go-offline', 'offline'],
] as const) {
  element(id).addEventListener('click', () => {
    const counterId = Number(element<HTMLSelectElement>('counter').value)
    const seat = status === 'available' && counterId ? { counter_id: counterId, take_over: true } : {}
    void attempt(() => call('POST', `/agents/${agent.id}/set-status/`, { status, ...seat }))
  })
}
