import type { Tracing } from './types.ts'

/** Off (undefined) until `useTracing`. */
let current: Tracing | undefined
export const tracing = (): Tracing | undefined => current

/** Sends spans to the collector at `endpoint` (OTLP over HTTP); without one nothing is loaded and nothing is traced. */
export async function useTracing(
  endpoint: string | undefined,
  service: { name: string; version: string },
): Promise<void> {
  await current?.close()
  current = endpoint ? (await import('./providers/otlp.ts')).otlp(endpoint, service) : undefined
}
