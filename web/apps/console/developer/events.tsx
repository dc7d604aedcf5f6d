import { useEffect, useState } from 'react'
import { eventsList, type EventsList } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { Code } from '../../../ui/parts/react.ts'
import { Moment } from '../admin/kit/cell.tsx'
import type { AreaProps } from '../admin/kit/resource.tsx'
import { problemText } from '../shell/shell.ts'
import { serverNow } from '../state/clock.ts'

const HOUR_MS = 3_600_000

/** What happened lately, as webhooks and the log tell it. */
export function Events({ api }: AreaProps) {
  const [list, setList] = useState<EventsList['results']>()
  const [type, setType] = useState('')
  const [problem, setProblem] = useState('')
  useEffect(() => {
    const input = { since: new Date(serverNow() - HOUR_MS).toISOString(), limit: 200, ...(type && { types: [type] }) }
    const timer = setTimeout(
      () =>
        void api.run(eventsList, input).then(
          ({ results }) => {
            setList(results.toReversed())
            setProblem('')
          },
          (error: unknown) => setProblem(problemText(error)),
        ),
      type ? 300 : 0,
    )
    return () => clearTimeout(timer)
  }, [api, type])
  return (
    <>
      <h1>{t('developer.events')}</h1>
      <p className="muted about">{t('developer.events_about')}</p>
      <p className="row">
        <a className="button" href="/developer/events" target="_blank" rel="noreferrer">
          {t('developer.catalogue')}
        </a>
        <a className="button" href="/developer/errors" target="_blank" rel="noreferrer">
          {t('developer.errors')}
        </a>
      </p>
      <label className="only">
        {t('admin.field.event')}
        <input type="search" dir="ltr" value={type} onChange={(e) => setType(e.target.value.trim())} />
      </label>
      <p className="problem" role="alert">
        {problem}
      </p>
      {list?.length === 0 && <p className="empty">{t('developer.no_events')}</p>}
      {list?.map((event) => (
        <details key={event.id} data-event={event.type}>
          <summary>
            <Code>{event.type}</Code> <Moment at={event.timestamp} zone={api.timeZone} /> <Code>{event.id}</Code>
          </summary>
          <pre className="snippet">{JSON.stringify(event, null, 2)}</pre>
        </details>
      ))}
    </>
  )
}
