/** Attributes of a span: no personal data, as in logs. */
export type Attributes = Record<string, string | number | undefined>

/** Where spans go: requests and the jobs that they left behind, as one trace. */
export interface Tracing {
  /** A request came, with the trace it belongs to elsewhere (W3C `traceparent`), if any. */
  begin(requestId: string, traceparent: string | undefined): void
  /** Its answer left. One that was never begun is told of from `seconds` ago. */
  end(requestId: string, answered: { name: string; status: number; seconds: number; attributes: Attributes }): void
  /** What a job of this request carries, to be found in the same trace. */
  traceparentOf(requestId: string): string | undefined
  /** Runs a job as part of the trace that it carries. */
  job<T>(task: string, traceparent: string | undefined, attributes: Attributes, run: () => Promise<T>): Promise<T>
  /** Sends what is left. */
  close(): Promise<void>
}
