export interface SentryTarget {
  /** `https://<public key>@<host>/<path>/<project>` */
  dsn: string
  release: string
  environment: string
}
const SEND_WITHIN_MS = 5000

/** Address and public key of a DSN. @throws Error when it is none */
export function targetOf(dsn: string): { url: string; key: string } {
  const { protocol, host, pathname, username } = new URL(dsn)
  const [, path, project] = /^(.*)\/(\d+)\/?$/.exec(pathname) ?? []
  if (!username || project === undefined) throw new Error('SENTRY_DSN has no public key or no project')
  return { url: `${protocol}//${host}${path}/api/${project}/envelope/`, key: username }
}

/**
 * One event by Sentry's envelope protocol: a line for the envelope, a line for the item, the item.
 * @param event none asks only whether the server takes envelopes of this key
 * @throws Error when it does not
 */
export async function sentry({ dsn, release }: SentryTarget, event?: { event_id: string }): Promise<void> {
  const { url, key } = targetOf(dsn)
  const lines = event ? [{ event_id: event.event_id }, { type: 'event' }, event] : [{}]
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-sentry-envelope',
      'x-sentry-auth': `Sentry sentry_version=7, sentry_client=${release.replace('@', '/')}, sentry_key=${key}`,
    },
    body: `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`,
    redirect: 'error',
    signal: AbortSignal.timeout(SEND_WITHIN_MS),
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`answers ${response.status}`)
}
