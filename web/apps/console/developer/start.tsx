import { t } from '../../../ui/messages.ts'
import type { AreaProps } from '../admin/kit/resource.tsx'
import { linkTo } from '../shell/router.ts'

/** The first number in five minutes: with a key, and nothing else. */
export function Start({ api }: AreaProps) {
  const take = `curl -X POST ${location.origin}/api/v1/tenants/${api.tenant}/tickets/ \\
  -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
  -H "Idempotency-Key: $(uuidgen)" -d '{"queue_id": 1, "channel": "api"}'`
  const listen = `smartqueue login --base-url ${location.origin} --tenant ${api.tenant} --key "$KEY"
smartqueue listen --forward-to http://localhost:3000/hook
smartqueue tickets tail`
  const sandbox = `smartqueue sandbox create --slug sandbox
smartqueue trigger ticket.called
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
          <pre className="snippet">{take}</pre>
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
