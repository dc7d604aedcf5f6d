import { useCallback, useEffect, useState } from 'react'
import {
  webhookDeliveriesGet,
  webhookDeliveriesRedeliver,
  webhooksDeliveries,
  webhooksPing,
  webhooksReplay,
  webhooksRotateSecret,
  type WebhookDeliveriesGet,
  type WebhooksDeliveries,
} from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { Code } from '../../../ui/parts/react.ts'
import type { Api, Row } from '../admin/kit/api.ts'
import { Moment } from '../admin/kit/cell.tsx'
import { valueLabel } from '../admin/kit/words.ts'
import { problemText } from '../shell/shell.ts'
import { serverNow } from '../state/clock.ts'

const AGAIN_MS = 3000
const HOUR_MS = 3_600_000

/** What an address was sent and what it answered; anything can be sent again. */
export function Deliveries({ api, row }: { api: Api; row: Row }) {
  const { id } = row
  const [list, setList] = useState<WebhooksDeliveries['results']>([])
  const [shown, setShown] = useState<WebhookDeliveriesGet>()
  const [said, setSaid] = useState('')
  const [secret, setSecret] = useState('')
  const fail = (error: unknown) => setSaid(problemText(error))
  const load = useCallback(
    () => api.run(webhooksDeliveries, { id }).then(({ results }) => setList(results), fail),
    [api, id],
  )
  useEffect(() => {
    void load()
    const timer = setInterval(() => void load(), AGAIN_MS)
    return () => clearInterval(timer)
  }, [load])
  const act = <T,>(work: Promise<T>, say: (answer: T) => string) =>
    void work.then((answer) => setSaid(say(answer))).then(load, fail)
  const replay = () => {
    const since = new Date(serverNow() - HOUR_MS).toISOString()
    const input = { id, since, include_delivered: true }
    act(api.run(webhooksReplay, input), ({ count }) => t('developer.replayed', { count }))
  }
  return (
    <section className="section">
      <h2>{t('developer.deliveries')}</h2>
      <p className="row">
        <button
          type="button"
          className="button"
          data-ping={id}
          onClick={() => act(api.run(webhooksPing, { id }), () => t('developer.pinged'))}
        >
          {t('developer.ping')}
        </button>
        <button type="button" className="button" data-replay={id} onClick={replay}>
          {t('developer.replay')}
        </button>
        <button
          type="button"
          className="button"
          onClick={() => void api.run(webhooksRotateSecret, { id }).then((made) => setSecret(made.secret), fail)}
        >
          {t('developer.rotate')}
        </button>
        <span role="status">{said}</span>
      </p>
      {secret && <pre className="snippet">{secret}</pre>}
      {list.length === 0 ? (
        <p className="empty">{t('developer.no_deliveries')}</p>
      ) : (
        <div className="table-box" tabIndex={0} role="region" aria-label={t('developer.deliveries')}>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t('admin.field.event')}</th>
                <th scope="col">{t('admin.field.status')}</th>
                <th scope="col">{t('admin.field.at')}</th>
                <th scope="col">{t('developer.answer')}</th>
                <th scope="col">{t('developer.again')}</th>
              </tr>
            </thead>
            <tbody>
              {list.map((each) => (
                <tr key={each.id} data-delivery={each.id} data-status={each.status}>
                  <th scope="row" aria-label={each.type}>
                    <button
                      type="button"
                      className="button"
                      data-kind="quiet"
                      onClick={() => void api.run(webhookDeliveriesGet, { id: each.id }).then(setShown, fail)}
                    >
                      <Code>{each.type}</Code>
                    </button>
                  </th>
                  <td>{valueLabel('delivery', each.status)}</td>
                  <td>
                    <Moment at={each.created_at} zone={api.timeZone} />
                  </td>
                  <td>
                    <Code>{String(each.status_code ?? each.error_code ?? '—')}</Code>
                  </td>
                  <td>
                    <button
                      type="button"
                      className="button"
                      data-redeliver={each.id}
                      onClick={() =>
                        act(api.run(webhookDeliveriesRedeliver, { id: each.id }), () => t('developer.sent_again'))
                      }
                    >
                      {t('developer.again')}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {shown && (
        <div data-inspected={shown.event_id}>
          <h3>
            <Code>{shown.event_id}</Code>
          </h3>
          {shown.attempts.map(({ attempt, at, duration_ms, status_code, error_code, request_body, response_body }) => (
            <article key={attempt}>
              <p>
                {t('developer.attempt', { number: attempt })} <Moment at={at} zone={api.timeZone} />{' '}
                <Code>{`${duration_ms} ms`}</Code> <Code>{String(status_code ?? error_code ?? '')}</Code>
              </p>
              <pre className="snippet">{request_body}</pre>
              {response_body && <pre className="snippet">{response_body}</pre>}
            </article>
          ))}
        </div>
      )}
    </section>
  )
}
