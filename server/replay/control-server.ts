import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'

/** What a control server does wrong, so that a replay against it must notice. */
export interface Faults {
  /** Two agents that call at once get the same ticket: the head is read, and taken only later. */
  doubleCalls?: boolean
  /** Every n-th event never reaches the feeds, though the chain of `after` is kept. */
  dropEvery?: number
  /** Every n-th event is sent twice. */
  repeatEvery?: number
  /** Serves the newest first. */
  lastComeFirst?: boolean
  /** Every n-th completion is acknowledged and forgotten. */
  forgetEvery?: number
  /** Coming back with `since` gets a fresh snapshot instead of what was missed. */
  noResume?: boolean
}

interface ControlTicket {
  id: number
  queue_id: number
  status: string
  priority: number
  public_token: string
}
interface ControlEvent {
  type: string
  offset: number
  after: number
  ticket: ControlTicket
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * The least that speaks the contract as the replay uses it, in memory: the control of its detectors. Without faults a
 * replay against it must be clean; with a fault the replay must name it.
 */
export async function startControlServer(faults: Faults = {}, port = 0) {
  const rows = new Map<string, Record<string, unknown>[]>()
  const tickets: ControlTicket[] = []
  const events: ControlEvent[] = []
  const feeds = new Map<number, Set<WebSocket>>()
  const phones = new Map<string, Set<WebSocket>>()
  const lastOfQueue = new Map<number, number>()
  let completions = 0

  function emit(type: string, ticket: ControlTicket): void {
    const after = lastOfQueue.get(ticket.queue_id) ?? 0
    const event = { type, offset: events.length + 1, after, ticket: { ...ticket } }
    events.push(event)
    if (faults.dropEvery && event.offset % faults.dropEvery === 0) return
    lastOfQueue.set(ticket.queue_id, event.offset)
    const times = faults.repeatEvery && event.offset % faults.repeatEvery === 0 ? 2 : 1
    for (let n = 0; n < times; n++)
      for (const socket of feeds.get(ticket.queue_id) ?? []) socket.send(JSON.stringify(event))
    for (const socket of phones.get(ticket.public_token) ?? []) socket.send(JSON.stringify(event))
  }
  function move(ticket: ControlTicket, status: string, type: string): ControlTicket {
    ticket.status = status
    emit(type, ticket)
    return ticket
  }

  async function answer(
    method: string,
    path: string,
    query: URLSearchParams,
    body: Record<string, unknown>,
  ): Promise<unknown> {
    const [noun = '', id, verb] = path.replace(/^\/api\/v1\/(tenants\/[^/]+\/)?/, '').split('/')
    if (noun === 'auth') return { access: 'control' }
    if (noun === 'tickets' && verb === 'events') return page(events.filter((event) => event.ticket.id === Number(id)))
    if (noun === 'tickets' && method === 'GET') {
      const status = query.get('status')
      return page(
        tickets.filter(
          (ticket) => ticket.queue_id === Number(query.get('queue')) && (status === null || status === ticket.status),
        ),
      )
    }
    if (noun === 'tickets' && !id) {
      const ticket = {
        id: tickets.length + 1,
        queue_id: Number(body['queue_id']),
        status: 'en_attente',
        priority: Number(body['priority'] ?? 0),
        public_token: `t${tickets.length + 1}`,
      }
      tickets.push(ticket)
      emit('ticket.created', ticket)
      return ticket
    }
    if (noun === 't')
      return move(tickets.find((one) => one.public_token === id) as ControlTicket, 'annulé', 'ticket.cancelled')
    const ticket = tickets[Number(id) - 1] as ControlTicket
    if (verb === 'start') return move(ticket, 'en_service', 'ticket.started')
    if (verb === 'cancel') return move(ticket, 'annulé', 'ticket.cancelled')
    if (verb === 'complete')
      return faults.forgetEvery && ++completions % faults.forgetEvery === 0
        ? ticket
        : move(ticket, 'terminé', 'ticket.completed')
    if (verb === 'call-next') return { ticket: await nextOf(Number(id)) }
    const list = rows.get(noun) ?? []
    rows.set(noun, list)
    if (method === 'GET') return page(list)
    if (verb) return list.find((row) => row['id'] === Number(id))
    list.push({ id: list.length + 1, status: 'offline', ...body })
    return list.at(-1)
  }
  async function nextOf(agentId: number): Promise<ControlTicket | null> {
    const agent = rows.get('agents')?.find((row) => row['id'] === agentId) as { queues: { queue_id: number }[] }
    const waiting = tickets.filter(
      (ticket) => ticket.status === 'en_attente' && ticket.queue_id === agent.queues[0]?.queue_id,
    )
    waiting.sort((a, b) => b.priority - a.priority || a.id - b.id)
    const head = faults.lastComeFirst ? waiting.at(-1) : waiting[0]
    if (!head) return null
    if (faults.doubleCalls) await pause(5)
    return move(head, 'appelé', 'ticket.called')
  }
  const page = (results: unknown[]) => ({ results, next: null, previous: null })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://control')
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const result = await answer(
      request.method ?? 'GET',
      url.pathname,
      url.searchParams,
      text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    )
    response.setHeader('content-type', 'application/json').end(JSON.stringify(result))
  }

  const server = createServer((request, response) => void handle(request, response))
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, request) => {
    const url = new URL(request.url ?? '/', 'http://control')
    const [kind, id] = url.pathname.split('/').filter(Boolean).slice(-2) as [string, string]
    const followers = kind === 'tickets' ? phones : feeds
    const key = (kind === 'tickets' ? id : Number(id)) as never
    followers.set(key, ((followers.get(key) as Set<WebSocket> | undefined) ?? new Set()).add(socket) as never)
    socket.on('close', () => (followers.get(key) as Set<WebSocket> | undefined)?.delete(socket))
    const since = url.searchParams.get('since')
    const missed = events.filter((event) => event.ticket.queue_id === Number(id) && event.offset > Number(since))
    if (since === null || faults.noResume)
      socket.send(JSON.stringify({ type: 'snapshot', epoch: 'control', offset: lastOfQueue.get(Number(id)) ?? 0 }))
    else for (const event of missed) socket.send(JSON.stringify(event))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop(): Promise<void> {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
