import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Span,
  type SpanContext,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { now } from '../../clock.ts'
import type { Attributes, Tracing } from '../types.ts'

/** Requests under way at most; beyond that their jobs are traces of their own. */
const MOST_OPEN = 10_000
const SEND_EVERY_MS = 2000

/** OpenTelemetry's own exporter: JSON over HTTP to `<endpoint>/v1/traces`. */
export function otlp(endpoint: string, service: { name: string; version: string }): Tracing {
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: 5000 })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service.name, 'service.version': service.version }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: SEND_EVERY_MS })],
  })
  const tracer = provider.getTracer(service.name, service.version)
  const open = new Map<string, Span>()
  const start = (name: string, kind: SpanKind, parent: Context, startTime?: number) =>
    tracer.startSpan(name, { kind, ...(startTime !== undefined && { startTime }) }, parent)

  return {
    begin(requestId, traceparent) {
      if (open.size >= MOST_OPEN || open.has(requestId)) return
      open.set(requestId, start('request', SpanKind.SERVER, parentOf(traceparent)))
    },
    end(requestId, { name, status, seconds, attributes }) {
      const span = open.get(requestId) ?? start(name, SpanKind.SERVER, ROOT_CONTEXT, now() - seconds * 1000)
      open.delete(requestId)
      span.updateName(name)
      span.setAttributes(
        said({ ...attributes, 'smartqueue.request_id': requestId, 'http.response.status_code': status }),
      )
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    },
    traceparentOf(requestId) {
      const span = open.get(requestId)
      return span && written(span.spanContext())
    },
    async job(task, traceparent, attributes, run) {
      const span = start(`job ${task}`, SpanKind.CONSUMER, parentOf(traceparent))
      span.setAttributes(said(attributes))
      try {
        return await run()
      } catch (error) {
        // What went wrong is in the log and the error reports, where it is masked.
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    },
    async close() {
      // A collector that is away keeps nobody from stopping.
      await provider.shutdown().catch(() => {})
    },
  }
}

const said = (attributes: Attributes) =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)) as Record<
    string,
    string | number
  >

const written = ({ traceId, spanId, traceFlags }: SpanContext) =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`

/** W3C trace context, version 00. What is no such thing begins a trace of its own. */
function parentOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] =
    /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '') ?? []
  if (!traceId || !spanId) return ROOT_CONTEXT
  const traceFlags = parseInt(flags!, 16) & TraceFlags.SAMPLED
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
}
