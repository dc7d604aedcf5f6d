import { useEffect, useState } from 'react'
import { searchQuery, sitesList, type SearchQuery, type SitesGet } from '../../../data/operations.ts'
import { ticketStatusName, type TicketStatus } from '../../../../shared/ticket-status.ts'
import { clockTime, day } from '../../../ui/format.ts'
import { t, type MessageKey } from '../../../ui/messages.ts'
import { Code, Icon, StateLabel, TicketNumber } from '../../../ui/parts/react.ts'
import { setSearch, usePlace } from '../shell/router.ts'
import { problemText, useCommands, type PageProps } from '../shell/shell.ts'
import './find.css'
import { Journey } from './journey.tsx'

export type Hit = SearchQuery['results'][number]
const KINDS = ['customer', 'ticket', 'appointment'] as const
/** Asked for at once. */
const MOST = 50
/** A pause in typing this long asks the server. */
const PAUSE_MS = 200

const focus = () => document.getElementById('find-anything')?.focus()

/** Anybody and anything by a piece of a name, a number or a code; a visit with all that happened in it. */
export default function FindPage({ shell }: PageProps) {
  const { search } = usePlace()
  const q = search.get('q') ?? ''
  const ticketId = Number(search.get('ticket')) || null
  const [hits, setHits] = useState<readonly Hit[] | null>(null)
  const [sites, setSites] = useState<readonly SitesGet[]>([])
  const [problem, setProblem] = useState('')
  useEffect(() => {
    if (!q.trim()) return setHits(null)
    const asked = new AbortController()
    const timer = setTimeout(() => {
      shell.run(searchQuery, { q: q.trim(), limit: MOST }, { signal: asked.signal }).then(
        ({ results }) => {
          setHits(results)
          setProblem('')
        },
        (error: unknown) => asked.signal.aborted || setProblem(problemText(error)),
      )
    }, PAUSE_MS)
    return () => {
      clearTimeout(timer)
      asked.abort()
    }
  }, [shell, q])
  // The same number is given at each site on each day.
  useEffect(() => {
    shell.run(sitesList, { limit: 200 }).then(({ results }) => setSites(results), shell.refuse)
  }, [shell])
  // Whoever opens this page has come to type.
  useEffect(focus, [])
  useCommands(shell, [{ id: 'find', label: t('find.title'), key: '/', run: focus }])
  return (
    <main className="area finding" data-found={hits?.length}>
      <h1>{t('find.title')}</h1>
      <label className="find-field">
        <Icon name="search" />
        <input
          id="find-anything"
          type="search"
          maxLength={100}
          aria-label={t('find.title')}
          placeholder={t('find.hint')}
          value={q}
          onChange={(event) => setSearch({ q: event.target.value || null, ticket: null }, { isReplacing: true })}
        />
      </label>
      <p className="problem" role="alert">
        {problem}
      </p>
      <p className="muted" role="status">
        {hits && t(hits.length === MOST ? 'find.first' : 'find.count', { count: hits.length })}
      </p>
      <div className="found" data-open={ticketId !== null || undefined}>
        <div className="hits">
          {KINDS.map((kind) => (
            <Hits key={kind} kind={kind} hits={hits ?? []} ticketId={ticketId} zone={shell.timeZone} sites={sites} />
          ))}
        </div>
        {ticketId !== null && <Journey key={ticketId} shell={shell} ticketId={ticketId} />}
      </div>
    </main>
  )
}

interface HitsProps {
  kind: Hit['kind']
  hits: readonly Hit[]
  ticketId: number | null
  zone: string
  sites: readonly SitesGet[]
}
function Hits({ kind, hits, ticketId, zone, sites }: HitsProps) {
  const own = hits.filter((hit) => hit.kind === kind)
  if (own.length === 0) return null
  return (
    <section aria-labelledby={`hits-${kind}`}>
      <h2 id={`hits-${kind}`}>{t(`find.kind_${kind}`)}</h2>
      <ul className="rows-list">
        {own.map((hit) => (
          <li key={hit.id} data-hit={`${kind} ${hit.id}`}>
            {kind === 'ticket' ? (
              <button
                type="button"
                className="hit"
                aria-pressed={hit.id === ticketId}
                onClick={() => setSearch({ ticket: hit.id === ticketId ? null : String(hit.id) })}
              >
                <TicketHit hit={hit} zone={zone} sites={sites} />
              </button>
            ) : (
              <PersonHit hit={hit} zone={zone} />
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function TicketHit({ hit, zone, sites }: Pick<HitsProps, 'zone' | 'sites'> & { hit: Hit }) {
  const site = sites.find(({ id }) => id === hit.site_id)
  return (
    <>
      <strong>
        <TicketNumber>{hit.title}</TicketNumber>
      </strong>
      <StateLabel state={ticketStatusName(hit.status as TicketStatus)} />
      <bdi>{hit.detail}</bdi>
      <span className="muted">
        {sites.length > 1 && site && (
          <>
            <bdi>{site.name}</bdi> ·{' '}
          </>
        )}
        {day(hit.at, site?.timezone ?? zone)} <Code>{clockTime(hit.at, site?.timezone ?? zone)}</Code>
      </span>
    </>
  )
}

/** Whoever is meant is found again by the name: with all visits. */
function PersonHit({ hit, zone }: { hit: Hit; zone: string }) {
  return (
    <span className="hit">
      <strong>
        <bdi>{hit.title || '—'}</bdi>
      </strong>
      {hit.status && <span className="muted">{t(`appointment_status.${hit.status}` as MessageKey)}</span>}
      <Code>{hit.detail}</Code>
      <span className="muted">{day(hit.at, zone)}</span>
    </span>
  )
}
