import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** Everything this process measures; served by `serveMetrics` on a port of its own. Labels hold no personal data. */
export const registry = new Registry()
const registers = [registry]

const requests = new Histogram({
  name: 'api_request_duration_seconds',
  help: 'Time from the first byte of a request to the last byte of its answer',
  labelNames: ['operation', 'method', 'status'] as const,
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  registers,
})
const ticketsCreated = new Counter({
  name: 'tickets_created_total',
  help: 'Tickets taken',
  labelNames: ['tenant', 'channel'] as const,
  registers,
})
export const liveConnections = new Gauge({
  name: 'websocket_connections',
  help: 'Open live connections',
  labelNames: ['feed', 'transport'] as const,
  registers,
})
export const liveFrames = new Counter({
  name: 'websocket_frames_total',
  help: 'Frames sent to live connections',
  registers,
})
export const liveCuts = new Counter({
  name: 'websocket_cuts_total',
  help: 'Live connections ended or refused by the server',
  labelNames: ['reason'] as const,
  registers,
})
export const liveResyncs = new Counter({
  name: 'websocket_resyncs_total',
  help: 'Clients that came back and had to start from a snapshot',
  labelNames: ['reason'] as const,
  registers,
})
export const deliveryLatency = new Histogram({
  name: 'event_delivery_seconds',
  help: 'Time from the commit of an event until it was written to its last socket, by the clocks of database and process',
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  registers,
})

export const wakeups = new Counter({
  name: 'event_wakeups_total',
  help: 'Messages by which processes told of commits, heard by this one',
  labelNames: ['bus'] as const,
  registers,
})
export const announcements = new Counter({
  name: 'event_announcements_total',
  help: 'Messages by which this process told the others of its commits; bus "none" when nobody could be told',
  labelNames: ['bus'] as const,
  registers,
})

type Observe = (seconds: number) => void
const observers = new Map<string, Observe>()
/** One finished request. The labels' series is looked up once, not per request. */
export function observeRequest(operation: string, method: string, status: number, seconds: number): void {
  const key = `${operation} ${method} ${status}`
  let observe = observers.get(key)
  if (!observe) {
    const series = requests.labels(operation, method, String(status))
    observers.set(key, (observe = (value) => series.observe(value)))
  }
  observe(seconds)
}

/** Tenants beyond this many share one label, so that the number of series stays bounded. */
const MAX_TENANT_LABELS = 200
const tenantLabels = new Set<string>()
export function countTicket(tenant: string, channel: string): void {
  if (tenantLabels.size < MAX_TENANT_LABELS) tenantLabels.add(tenant)
  ticketsCreated.inc({ tenant: tenantLabels.has(tenant) ? tenant : 'other', channel })
}

/** Adds the process's own figures: memory, event loop, garbage collection. Once per process. */
export function measureProcess(): void {
  collectDefaultMetrics({ register: registry })
}
