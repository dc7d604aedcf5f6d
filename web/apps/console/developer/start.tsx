import { useEffect, useState } from 'react'
import { queuesList, type QueuesGet } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import type { AreaProps } from '../admin/kit/resource.tsx'
import { linkTo } from '../shell/router.ts'

/** The first number in five minutes: with a key, and nothing else. */
export function Start({ api }: AreaProps) {
  const [queue, setQueue] = useState<Pick<QueuesGet, 'id' | 'name'>>()
  useEffect(
    () =>
      void api.run(queuesList, { limit: 1 }).then(
        ({ results }) => setQueue(results[0]),
        () => {},
      ),
    [api],
  )
  const take = `curl ${location.origin}/api/v1/tenants/${api.tenant}/tickets/ \\
  -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
  -H 'Idempotency-Key: my-first-ticket' -d '{"queue_id": ${queue?.id ?? '…'}, "channel": "api"}'`
  const listen = `smartqueue login --base-url ${location.origin} --tenant ${api.tenant} --key "$KEY"
smartqueue listen --forward-to http://localhost:3000/hook
smartqueue tickets tail`
  const sandbox = `smartqueue trigger ticket.called
smartqueue sandbox traffic --rate 6 --speed 20`
  return (
    <>
      <h1>{t('developer.start')}</h1>
      <p className="muted about">{t('developer.start_about')}</p>
      <ol className="steps">
        <li>
          <h2>{t('developer.step_key')}</h2>
          <p>
            <a className="button" {...linkTo('developer/keys/new')}>
              {t('admin.keys.new')}
            </a>
          </p>
        </li>
        <li>
          <h2>{t('developer.step_take')}</h2>
          {queue && (
            <p className="muted">
              <bdi>{queue.name}</bdi>
            </p>
          )}
          <pre className="snippet" data-take={queue?.id}>
            {take}
          </pre>
        </li>
        <li>
          <h2>{t('developer.step_listen')}</h2>
          <pre className="snippet">{listen}</pre>
        </li>
        <li>
          <h2>{t('developer.step_sandbox')}</h2>
          <p className="muted">{t('developer.sandbox_about')}</p>
          <pre className="snippet">{sandbox}</pre>
        </li>
      </ol>
      <p className="row">
        <a className="button" data-kind="primary" href="/docs/" target="_blank" rel="noreferrer">
          {t('developer.reference')}
        </a>
        <a className="button" href="/api/v1/openapi.json">
          OpenAPI
        </a>
        <a className="button" href="/api/v1/asyncapi.json">
          AsyncAPI
        </a>
      </p>
    </>
  )
}
