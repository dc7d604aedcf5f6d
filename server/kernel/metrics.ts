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
export const estimateErrors = new Histogram({
  name: 'estimate_error_seconds',
  help: 'How far the median told at arrival was from the wait, when the wait ended',
  labelNames: ['tenant'] as const,
  buckets: [15, 30, 60, 120, 300, 600, 1200, 1800, 3600],
  registers,
})
export const estimatesInside = new Counter({
  name: 'estimate_intervals_total',
  help: 'Waits that ended inside or outside the interval told at arrival',
  labelNames: ['tenant', 'inside'] as const,
  registers,
})
export const estimatePromises = new Counter({
  name: 'estimate_promises_total',
  help: 'Waits that ended by the high figure told at arrival, or later',
  labelNames: ['tenant', 'kept'] as const,
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
export const sharedLookups = new Counter({
  name: 'shared_cache_lookups_total',
  help: 'Values asked of the second level (Redis): found, missed (this process reads on behalf of all) or away',
  labelNames: ['what', 'outcome'] as const,
  registers,
})

const jobLag = new Histogram({
  name: 'job_lag_seconds',
  help: 'Time from when a job was due to when it began',
  labelNames: ['task'] as const,
  buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800],
  registers,
})
const jobsDone = new Counter({
  name: 'jobs_total',
  help: 'Jobs that this process ended',
  labelNames: ['task', 'outcome'] as const,
  registers,
})

export const errorReports = new Counter({
  name: 'error_reports_total',
  help: 'Errors told to the error tracker: sent, failed, or dropped because they repeat',
  labelNames: ['outcome'] as const,
  registers,
})

const uploads = new Counter({
  name: 'media_uploads_total',
  help: 'Uploads of pictures and films: done, refused for what they are, or failed',
  labelNames: ['kind', 'outcome'] as const,
  registers,
})
export function countUpload(kind: string, outcome: string): void {
  uploads.inc({ kind, outcome })
}

const messagesDone = new Counter({
  name: 'messages_total',
  help: 'Messages to visitors, by what became of an attempt that ended',
  labelNames: ['channel', 'outcome'] as const,
  registers,
})
export function countMessage(channel: string, outcome: string): void {
  messagesDone.inc({ channel, outcome })
}

const searches = new Counter({
  name: 'search_requests_total',
  help: 'Searches by who was asked: answered, failed, or stood_in for a search server that does not answer',
  labelNames: ['engine', 'outcome'] as const,
  registers,
})
export function countSearch(engine: string, outcome: string): void {
  searches.inc({ engine, outcome })
}

const webhookAttempts = new Counter({
  name: 'webhook_attempts_total',
  help: 'Attempts to deliver a webhook, by what came of them',
  labelNames: ['outcome'] as const,
  registers,
})
const webhookSeconds = new Histogram({
  name: 'webhook_attempt_seconds',
  help: 'From the look-up of a receiver’s name to the end of its answer',
  buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
  registers,
})
export function countWebhook(outcome: string, seconds: number): void {
  webhookAttempts.inc({ outcome })
  webhookSeconds.observe(seconds)
}
const rowsExported = new Counter({
  name: 'exported_rows_total',
  help: 'Rows of tickets and metrics written to files',
  labelNames: ['format'] as const,
  registers,
})
export function countExported(format: string, rows: number): void {
  rowsExported.inc({ format }, rows)
}

/** Runs a job and notes how late it began and how it ended. @param dueAt milliseconds since 1970 */
export async function measureJob<T>(task: string, dueAt: number, now: number, run: () => Promise<T>): Promise<T> {
  jobLag.observe({ task }, Math.max(0, now - dueAt) / 1000)
  try {
    const result = await run()
    jobsDone.inc({ task, outcome: 'done' })
    return result
  } catch (error) {
    jobsDone.inc({ task, outcome: 'failed' })
    throw error
  }
}

/** How long the lines of one organisation are. */
export interface LineLengths {
  tenant: string
  waiting: number
  longest_wait_seconds: number
}
/** Scrapes closer together than this are given the same figures. */
const LINES_FRESH_MS = 10_000

/** Adds depth and wait of the queues, read when somebody asks. Once per process; later calls replace the reader. */
export function measureLines(read: () => Promise<LineLengths[]>): void {
  readLines = read
}
let readLines: (() => Promise<LineLengths[]>) | null = null
let linesReadAt = -Infinity
let reading: Promise<void> = Promise.resolve()
/** Both gauges are collected side by side: each waits for the one reading. */
function collectLines(): Promise<void> {
  if (readLines && performance.now() - linesReadAt >= LINES_FRESH_MS) {
    linesReadAt = performance.now()
    // A database that is away leaves a gap in the figures, not in the scrape.
    reading = readLines().then(setLines, () => setLines([]))
  }
  return reading
}
function setLines(lines: readonly LineLengths[]): void {
  waiting.reset()
  longestWait.reset()
  for (const [tenant, own] of Map.groupBy(lines, (line) => tenantLabel(line.tenant))) {
    waiting.set(
      { tenant },
      own.reduce((sum, line) => sum + line.waiting, 0),
    )
    longestWait.set({ tenant }, Math.max(...own.map((line) => line.longest_wait_seconds)))
  }
}
const waiting = new Gauge({
  name: 'queue_waiting_tickets',
  help: 'Tickets that wait',
  labelNames: ['tenant'] as const,
  registers,
  collect: collectLines,
})
const longestWait = new Gauge({
  name: 'queue_longest_wait_seconds',
  help: 'How long the one has waited who waits longest',
  labelNames: ['tenant'] as const,
  registers,
  collect: collectLines,
})

/** What waits in the job tables, whoever runs jobs. */
export interface Backlog {
  /** Due and not begun. */
  due: number
  /** How long the one has been due that is due longest. */
  oldest_seconds: number
  /** Failed as often as they may. */
  dead: number
}
/** Adds what waits in the job tables, read when somebody asks. Once per process; later calls replace the reader. */
export function measureBacklog(read: () => Promise<Backlog>): void {
  readBacklog = read
}
let readBacklog: (() => Promise<Backlog>) | null = null
let backlogReadAt = -Infinity
let readingBacklog: Promise<Backlog | undefined> = Promise.resolve(undefined)
function backlog(): Promise<Backlog | undefined> {
  if (readBacklog && performance.now() - backlogReadAt >= LINES_FRESH_MS) {
    backlogReadAt = performance.now()
    readingBacklog = readBacklog().catch(() => undefined)
  }
  return readingBacklog
}
for (const [name, help, figure] of [
  ['jobs_due', 'Jobs that are due and not begun', 'due'],
  ['jobs_oldest_due_seconds', 'How long the job has been due that is due longest', 'oldest_seconds'],
  ['jobs_dead', 'Jobs that failed as often as they may', 'dead'],
] as const)
  new Gauge({
    name,
    help,
    registers,
    async collect() {
      const read = await backlog()
      this.reset()
      if (read) this.set(read[figure])
    },
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
function tenantLabel(tenant: string): string {
  if (tenantLabels.size < MAX_TENANT_LABELS) tenantLabels.add(tenant)
  return tenantLabels.has(tenant) ? tenant : 'other'
}
export function countTicket(tenant: string, channel: string): void {
  ticketsCreated.inc({ tenant: tenantLabel(tenant), channel })
}

/** Adds the process's own figures: memory, event loop, garbage collection. Once per process. */
export function measureProcess(): void {
  collectDefaultMetrics({ register: registry })
}

/** Upper bound below which 95 of 100 observations lie, in milliseconds; null while there is none. */
async function p95(histogram: Histogram<string>): Promise<{ p95_ms: number | null; count: number }> {
  const buckets = new Map<number, number>()
  for (const { labels, value, metricName } of (await histogram.get()).values)
    if (metricName?.endsWith('_bucket')) {
      const bound = Number(String(labels['le']).replace('+Inf', 'Infinity'))
      buckets.set(bound, (buckets.get(bound) ?? 0) + value)
    }
  const count = buckets.get(Infinity) ?? 0
  const bounds = [...buckets].toSorted(([a], [b]) => a - b)
  const bound = bounds.find(([, below]) => below >= count * 0.95)?.[0]
  const largest = bounds.at(-2)?.[0] ?? 0
  return { p95_ms: count === 0 || bound === undefined ? null : Math.min(bound, largest) * 1000, count }
}
const total = async (metric: Gauge<string> | Counter<string>, isWanted = (_: string) => true): Promise<number> =>
  (await metric.get()).values.reduce(
    (sum, { value, labels }) => sum + (isWanted(String(labels['outcome'])) ? value : 0),
    0,
  )

/** How this process has fared since it began, in few figures. */
export async function standing() {
  return {
    requests: await p95(requests),
    events: await p95(deliveryLatency),
    sockets: await total(liveConnections),
    messages: {
      sent: await total(messagesDone, (outcome) => outcome !== 'failed'),
      failed: await total(messagesDone, (outcome) => outcome === 'failed'),
    },
  }
}
