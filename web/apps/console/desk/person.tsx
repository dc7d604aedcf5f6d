import { useEffect, useState, type FormEvent } from 'react'
import type { Ticket } from '../../../../shared/board.ts'
import { customersGet, ticketsList, type CustomersGet, type TicketsGet } from '../../../data/operations.ts'
import { clockTime, day, stopwatch } from '../../../ui/format.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { Code, Icon, StateLabel, TicketNumber } from '../../../ui/parts/react.ts'
import type { Acts } from './state/acts.ts'
import { serviceName } from '../state/catalogue.ts'
import { stateOf } from './state/desk.ts'
import { preferences } from '../state/preferences.ts'
import { useStore } from '../state/store.ts'
import { needsOf, ownLabels } from './about.ts'
import { CommandButton } from './command-button.tsx'
import { LastMessage } from './last-message.tsx'

/** Who it is: needs, language, labels, note, answers, and what was before. */
export function Person({ ticket, acts }: { ticket: Ticket; acts: Acts }) {
  const { desk } = acts
  const state = useStore(desk)
  const { showsVisits } = useStore(preferences)
  const [customer, setCustomer] = useState<CustomersGet | null>(null)
  const detail = state.detail?.id === ticket.id ? state.detail : null
  const customerId = detail?.customer_id ?? ticket.customer_id
  const isChosen = state.selectedId === ticket.id
  useEffect(() => {
    let isWanted = true
    setCustomer(null)
    if (customerId !== null)
      desk.run(customersGet, { id: customerId }).then(
        (found) => isWanted && setCustomer(found),
        () => {},
      )
    return () => void (isWanted = false)
  }, [desk, customerId])
  const answers = Object.entries(detail?.fields ?? {})

  return (
    <section className="person" aria-label={t('console.person')} data-person={ticket.number}>
      <h3>
        {isChosen && <TicketNumber>{ticket.number}</TicketNumber>} {customer?.name || t('console.person')}
      </h3>
      {isChosen && (
        <p className="commands">
          {!state.view?.ticket && <CommandButton acts={acts} command="call" />}
          <CommandButton acts={acts} command="remove" />
          {state.view?.ticket === null && <CommandButton acts={acts} command="transfer" />}
        </p>
      )}
      <dl className="about">
        {customer?.phone && <Fact name={t('console.phone')} value={<Code>{customer.phone}</Code>} />}
        {customer?.note && <Fact name={t('console.about_person')} value={customer.note} />}
        {ticket.language && (
          <Fact name={t('ui.language')} value={t(`console.language_${ticket.language as 'fr' | 'en' | 'ar'}`)} />
        )}
        {ticket.needs.length > 0 && <Fact name={t('console.needs')} value={needsOf(ticket)} />}
        <Fact name={t('console.channel')} value={t(`channel.${ticket.channel as 'web'}`)} />
        <Fact
          name={t('console.arrived')}
          value={<Code>{clockTime(ticket.created_at, desk.catalogue.site.timezone)}</Code>}
        />
        {answers.map(([name, value]) => (
          <Fact key={name} name={readable(name)} value={String(value)} />
        ))}
        {detail?.outcome && <Fact name={t('console.outcome')} value={detail.outcome} />}
      </dl>
      {detail && <Labels detail={detail} acts={acts} />}
      {detail && <Note key={detail.id} detail={detail} acts={acts} />}
      {customerId !== null && <LastMessage ticket={ticket} acts={acts} />}
      {customerId !== null && (
        <>
          <CommandButton acts={acts} command="history" kind="quiet">
            {t(showsVisits ? 'console.hide_visits' : 'console.show_visits')}
          </CommandButton>
          {showsVisits && <Visits customerId={customerId} except={ticket.id} acts={acts} />}
        </>
      )}
    </section>
  )
}

/** Names of answers are the organisation's own. */
export const readable = (name: string): string =>
  name === 'outcome' ? t('console.outcome') : name.replaceAll('_', ' ').replace(/^./, (letter) => letter.toUpperCase())

function Fact({ name, value }: { name: string; value: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

function Labels({ detail, acts }: { detail: TicketsGet; acts: Acts }) {
  const labels = ownLabels(detail)
  // What the person answered is none of ours to change.
  const answer = detail.labels.filter((label) => !labels.includes(label))
  const change = (next: string[]) => void acts.note(detail, { labels: [...next, ...answer] }, { labels: detail.labels })
  function add(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const field = event.currentTarget.elements.namedItem('label') as HTMLInputElement
    const label = field.value.trim()
    field.value = ''
    if (label && !labels.includes(label)) change([...labels, label])
  }
  return (
    <div className="labels">
      {labels.map((label) => (
        <span key={label} className="label">
          {label}{' '}
          <button
            type="button"
            aria-label={t('console.remove_label', { label })}
            onClick={() => change(labels.filter((each) => each !== label))}
          >
            <Icon name="cross" />
          </button>
        </span>
      ))}
      <form onSubmit={add}>
        <input name="label" maxLength={50} placeholder={t('console.add_label')} aria-label={t('console.add_label')} />
      </form>
    </div>
  )
}

/** Kept when the field is left or with Ctrl Enter. */
function Note({ detail, acts }: { detail: TicketsGet; acts: Acts }) {
  const [text, setText] = useState(detail.note)
  useEffect(() => setText(detail.note), [detail.note])
  const save = () => {
    if (text !== detail.note) void acts.note(detail, { note: text }, { note: detail.note })
  }
  return (
    <label className="note">
      {t('console.note')}
      <textarea
        id="note"
        rows={2}
        maxLength={2000}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={save}
        onKeyDown={(event) => {
          if (event.key === 'Escape' || (event.key === 'Enter' && (event.ctrlKey || event.metaKey)))
            event.currentTarget.blur()
        }}
      />
    </label>
  )
}

function Visits({ customerId, except, acts }: { customerId: number; except: number; acts: Acts }) {
  const { desk } = acts
  const [visits, setVisits] = useState<readonly TicketsGet[] | null>(null)
  useEffect(() => {
    let isWanted = true
    desk.run(ticketsList, { customer: customerId, ordering: '-created_at', limit: 6 }).then(
      ({ results }) => isWanted && setVisits(results.filter(({ id }) => id !== except).slice(0, 5)),
      () => isWanted && setVisits([]),
    )
    return () => void (isWanted = false)
  }, [desk, customerId, except])
  if (!visits) return <p className="muted">{t('ui.loading')}</p>
  if (visits.length === 0) return <p className="muted">{t('console.first_visit')}</p>
  const zone = desk.catalogue.site.timezone
  return (
    <ul className="visits">
      {visits.map((visit) => (
        <li key={visit.id}>
          <span>{day(visit.created_at, zone)}</span>
          <TicketNumber>{visit.number}</TicketNumber>
          <span>{serviceName(desk.catalogue, visit.queue_id, currentLanguage())}</span>
          <StateLabel state={stateOf(visit)} />
          {visit.started_at && visit.ended_at && (
            <Code>{stopwatch((Date.parse(visit.ended_at) - Date.parse(visit.started_at)) / 1000)}</Code>
          )}
          {visit.note && <p className="muted">{visit.note}</p>}
        </li>
      ))}
    </ul>
  )
}
