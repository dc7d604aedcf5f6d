import type { ComponentChildren, FunctionComponent } from 'preact'
import { useState } from 'preact/hooks'
import { isLive, ticketStatusName } from '../../../shared/ticket-status.ts'
import { clockTime, counterName, day, stopwatch, ticketCode, waitRange } from '../../ui/format.ts'
import { currentLanguage, t, type MessageKey } from '../../ui/messages.ts'
import { Code, Icon, LineBadge, StaleBanner, StateLabel, TicketNumber } from '../../ui/parts/preact.ts'
import { Header, Notice } from '../../ui/public/parts.tsx'
import type { Mine, TicketProps } from './data.ts'
import { NotifySheet } from './notify.tsx'
import { ActForm, SiteLink, TakeAgain, type Perform } from './parts.tsx'
import { useTicket, type TicketState } from './use-ticket.ts'

/** The own ticket in every state: what is my number, when is it my turn, and what if I miss it? */
export function TicketPage({ token, mine, now, pushKey, formKey, refusal }: Omit<TicketProps, 'page'>) {
  const state = useTicket(token, mine, now, refusal)
  const { ticket } = state.mine
  const name = ticketStatusName(ticket.status)
  const { tenant_name, site_name } = state.mine
  return (
    <main class="page" data-state={name}>
      <Header place={`${tenant_name} · ${site_name}`} />
      <StaleBanner
        kind={state.freshness === 'fresh' ? null : state.freshness}
        time={clockTime(state.asOf, state.mine.timezone)}
      />
      <Notice text={state.refusal} />
      <Number mine={state.mine} isCalled={name === 'called'} />
      <Body name={name} state={state} token={token} pushKey={pushKey} formKey={formKey} />
      {isLive(ticket.status) && <Further token={token} state={state} />}
    </main>
  )
}

function Number({ mine, isCalled }: { mine: Mine; isCalled: boolean }) {
  return (
    <>
      <h1 class={isCalled ? 'called-title' : 'label'}>{t(isCalled ? 'visitor.your_turn' : 'visitor.your_number')}</h1>
      <p class="number">
        {!isCalled && <LineBadge code={mine.service_code} />}
        <TicketNumber>{mine.ticket.number}</TicketNumber>
      </p>
      {!isCalled && <p class="muted">{mine.service_names[currentLanguage()] ?? mine.service_name}</p>}
    </>
  )
}

interface BodyProps {
  name: ReturnType<typeof ticketStatusName>
  state: TicketState
  token: string
  pushKey: string | undefined
  formKey: string
}
function Body({ name, state, token, pushKey, formKey }: BodyProps) {
  const { mine, perform } = state
  const again = (
    <TakeAgain tenant={mine.tenant_slug} slug={mine.site_slug} queueId={mine.ticket.queue_id} formKey={formKey} />
  )
  switch (name) {
    case 'waiting':
      return <Waiting state={state} token={token} pushKey={pushKey} />
    case 'called':
      return <Called state={state} />
    case 'serving':
      return <Plain title={t('visitor.being_served')} text={counterName(mine.ticket.counter_name)} name={name} />
    case 'held':
      return <Plain title={t('ticket_status.held')} text={t('visitor.held')} name={name} />
    case 'no_show':
      return <Missed state={state}>{again}</Missed>
    case 'cancelled':
      return (
        <>
          {mine.tomorrow?.status === 'accepted' ? (
            <Kept mine={mine} perform={perform} />
          ) : (
            <Plain title={t('visitor.left')} name={name} />
          )}
          <div class="bottom">
            <UndoLeave mine={mine} now={state.now} perform={perform} />
            {again}
          </div>
        </>
      )
    case 'completed':
      return <Done mine={mine} perform={perform} />
    case 'expired':
      return (
        <>
          <Plain title={t('visitor.expired')} text={t('visitor.expired_hint')} name={name} />
          <div class="bottom">
            <SiteLink tenant={mine.tenant_slug} slug={mine.site_slug} />
            <Erase perform={perform} />
          </div>
        </>
      )
  }
}

/** Asked for with the first touch: of the many who open the page few open this. */
function Further({ token, state }: { token: string; state: TicketState }) {
  const [More, setMore] = useState<FunctionComponent<{ token: string; timezone: string; at: string }> | null>(null)
  async function load(): Promise<void> {
    const { More: loaded, loadTexts } = await import('./more.tsx')
    await loadTexts()
    setMore(() => loaded)
  }
  return (
    <details class="more" onToggle={() => More ?? void load().catch(() => {})}>
      <summary>{t('visitor.more')}</summary>
      {More ? (
        <More token={token} timezone={state.mine.timezone} at={state.asOf} />
      ) : (
        <p class="muted">{t('visitor.more_wait')}</p>
      )}
    </details>
  )
}

/** Who may not be served today is offered a place of the next open day. */
function Tomorrow({ mine, now, perform }: { mine: Mine; now: number; perform: Perform }) {
  const { tomorrow, timezone } = mine
  if (tomorrow?.status !== 'offered' || Date.parse(tomorrow.expires_at) <= now) return null
  return (
    <section class="card" data-tomorrow>
      <p>{t('visitor.tomorrow', { day: dayOf(tomorrow.day) })}</p>
      <p class="muted small">{t('visitor.tomorrow_until', { time: clockTime(tomorrow.expires_at, timezone) })}</p>
      <div class="pair">
        <ActForm act="tomorrow" perform={perform} fields={{ answer: 'accept' }}>
          <button class="button wide">{t('visitor.tomorrow_accept')}</button>
        </ActForm>
        <ActForm act="tomorrow" perform={perform} fields={{ answer: 'decline' }}>
          <button class="button wide">{t('visitor.tomorrow_decline')}</button>
        </ActForm>
      </div>
    </section>
  )
}
const dayOf = (date: string) => day(`${date}T12:00:00Z`, 'UTC')

function Kept({ mine, perform }: { mine: Mine; perform: Perform }) {
  const { day: date, appointment_at } = mine.tomorrow!
  return (
    <section class="card" data-tomorrow>
      <p class="figure">{t('visitor.tomorrow_yours', { day: dayOf(date) })}</p>
      {appointment_at ? (
        <p class="large">
          <bdi>{clockTime(appointment_at, mine.timezone)}</bdi>
        </p>
      ) : (
        <ActForm act="tomorrow_here" perform={perform}>
          <button class="button wide">{t('visitor.tomorrow_here')}</button>
        </ActForm>
      )}
    </section>
  )
}

function Plain({ title, text, name }: { title: string; text?: string; name: BodyProps['name'] }) {
  return (
    <section class="card">
      <StateLabel state={name} />
      <p class="figure">{title}</p>
      {text && <p class="large">{text}</p>}
    </section>
  )
}

function Waiting({ state, token, pushKey }: Pick<BodyProps, 'state' | 'token' | 'pushKey'>) {
  const { mine, perform, now } = state
  const { ticket, timezone } = mine
  const isPaused = mine.queue_status === 'paused' || mine.queue_status === 'closed'
  const hasRange = ticket.eta_low_seconds !== null && ticket.eta_high_seconds !== null
  const age = Math.max(0, Math.round((now - Date.parse(state.asOf)) / 1000))
  return (
    <>
      {state.reason && (
        <p class="banner" data-reason={state.reason.key} role="status">
          {t(`visitor.${state.reason.key}` as MessageKey, { service: state.reason.service ?? '' })}
        </p>
      )}
      <Tomorrow mine={mine} now={now} perform={perform} />
      <section class="card">
        <p class="label">{t('visitor.estimate')}</p>
        <p class="figure" data-range={hasRange ? `${ticket.eta_low_seconds}-${ticket.eta_high_seconds}` : 'none'}>
          {hasRange ? (
            <bdi>{waitRange(ticket.eta_low_seconds, ticket.eta_high_seconds)}</bdi>
          ) : (
            t(isPaused ? 'visitor.paused' : 'ui.no_estimate')
          )}
        </p>
        <p class="muted small">
          {hasRange &&
            ticket.eta_seconds !== null &&
            t('visitor.around', { time: clockTime(later(state.asOf, ticket.eta_seconds), timezone) })}
          {/* On a line of its own: its words grow and shrink by the second and must move nothing. */}
          <span class="age" data-age>
            {t('visitor.recalculated', { age: t('ui.age_seconds', { count: age }) })}
          </span>
        </p>
        {hasRange && mine.estimate_reason && (
          <p class="small" data-why={mine.estimate_reason.code}>
            {mine.estimate_reason.text}
          </p>
        )}
        <Strip ahead={ticket.ahead ?? 0} from={state.firstAhead} />
        <p>
          <strong data-ahead={ticket.ahead}>{t('visitor.ahead', { count: ticket.ahead ?? 0 })}</strong>
          {' · '}
          {t('visitor.counters', { count: mine.agents_open })}
        </p>
        {ticket.not_before && Date.parse(ticket.not_before) > now && (
          <p>{t('visitor.not_before', { time: clockTime(ticket.not_before, timezone) })}</p>
        )}
      </section>
      <div class="pair">
        <Delay mine={mine} perform={perform} />
        <ActForm act="leave" perform={perform}>
          <button class="button wide">{t('visitor.leave')}</button>
        </ActForm>
      </div>
      <p class="muted small">{t('visitor.order')}</p>
      <p class="muted small">
        <bdi>{t('visitor.paper', { number: ticketCode(ticket.number), check: mine.check })}</bdi>
      </p>
      <NotifySheet token={token} pushKey={pushKey} ring={state.ring} />
    </>
  )
}
const later = (instant: string, seconds: number) => new Date(Date.parse(instant) + seconds * 1000).toISOString()

/** Those served since the page was opened, those ahead, oneself, and that others come after. */
function Strip({ ahead, from }: { ahead: number; from: number }) {
  const most = 7
  const before = Math.min(ahead, most - 2)
  const passed = Math.min(Math.max(0, from - ahead), most - 2 - before)
  const dots = [...Array<string>(passed).fill('passed'), ...Array<string>(before).fill('ahead'), 'me', 'after']
  return (
    <p class="strip" aria-hidden="true">
      {dots.map((kind, index) => (
        <span key={index} data-dot={kind} />
      ))}
    </p>
  )
}

function Delay({ mine, perform }: { mine: Mine; perform: Perform }) {
  const left = mine.delays_left
  return (
    <details class="delay">
      <summary class="button wide">{t('visitor.need_time')}</summary>
      <div class="sheet">
        <p class="muted small">{t('visitor.delays_left', { count: left })}</p>
        {left > 0 && (
          <>
            {[1, 3].map((places) => (
              <ActForm act="delay" perform={perform} fields={{ places: String(places) }} key={places}>
                <button class="button wide">{t('visitor.pass', { count: places })}</button>
              </ActForm>
            ))}
            {[10, 20].map((minutes) => (
              <ActForm act="delay" perform={perform} fields={{ minutes: String(minutes) }} key={minutes}>
                <button class="button wide">{t('visitor.wait_minutes', { count: minutes })}</button>
              </ActForm>
            ))}
          </>
        )}
      </div>
    </details>
  )
}

function Called({ state }: { state: TicketState }) {
  const { mine, perform, now } = state
  const left = mine.called_until ? (Date.parse(mine.called_until) - now) / 1000 : null
  return (
    <>
      <section class="card called-card">
        <p class="counter">{counterName(mine.ticket.counter_name)}</p>
        {mine.counter_hint && <p class="muted">{mine.counter_hint}</p>}
      </section>
      {left !== null && (
        <p class="card">
          {t('visitor.hold')} <Code>{stopwatch(left)}</Code>
        </p>
      )}
      {mine.reply && (
        <p class="card" role="status">
          <Icon name="check" /> {t(`visitor.reply_${mine.reply}`)}
        </p>
      )}
      <div class="bottom">
        <ActForm act="reply" perform={perform} fields={{ reply: 'on_my_way' }}>
          <button class="button wide ink">{t('visitor.on_my_way')}</button>
        </ActForm>
        <ActForm act="reply" perform={perform} fields={{ reply: 'needs_time' }}>
          <button class="button wide">{t('visitor.few_minutes')}</button>
        </ActForm>
        <ActForm act="reply" perform={perform} fields={{ reply: 'cannot_come' }}>
          <button class="button wide bare">{t('visitor.cannot_come')}</button>
        </ActForm>
      </div>
    </>
  )
}

function Missed({ state, children }: { state: TicketState; children: ComponentChildren }) {
  const { mine, perform, now } = state
  const { timezone, grace_until, ticket } = mine
  const isKept = grace_until !== null && Date.parse(grace_until) > now
  return (
    <>
      <section class="card">
        <StateLabel state="no_show" />
        <p class="figure">{t('visitor.missed', { time: clockTime(ticket.called_at ?? state.asOf, timezone) })}</p>
        <p class="large">
          {isKept ? t('visitor.place_kept', { time: clockTime(grace_until, timezone) }) : t('visitor.grace_over')}
        </p>
      </section>
      <div class="bottom">
        {isKept ? (
          <ActForm act="here" perform={perform}>
            <p class="muted small">{t('visitor.here_hint')}</p>
            <button class="button wide" data-kind="primary">
              {t('visitor.here')}
            </button>
          </ActForm>
        ) : (
          children
        )}
      </div>
    </>
  )
}

function UndoLeave({ mine, now, perform }: { mine: Mine; now: number; perform: Perform }) {
  const left = mine.undo_until ? (Date.parse(mine.undo_until) - now) / 1000 : 0
  if (left <= 0) return null
  return (
    <ActForm act="undo" perform={perform}>
      <p class="muted small">{t('visitor.undo_until', { time: stopwatch(left) })}</p>
      <button class="button wide" data-kind="primary">
        {t('visitor.undo')}
      </button>
    </ActForm>
  )
}

function Done({ mine, perform }: { mine: Mine; perform: Perform }) {
  return (
    <>
      <section class="card">
        <StateLabel state="completed" />
        <p class="figure">{t('visitor.done')}</p>
        {mine.rating !== null && <p role="status">{t('visitor.rated')}</p>}
      </section>
      {mine.rating === null && (
        <ActForm act="rate" perform={perform} className="card">
          <p class="subtitle" id="rate">
            {t('visitor.rate')}
          </p>
          <label>
            {t('visitor.comment')}
            <textarea name="comment" rows={2} maxLength={1000} />
          </label>
          <div class="rates" role="group" aria-labelledby="rate">
            {([5, 4, 3, 2, 1] as const).map((rating) => (
              <button class="button rate" name="rating" value={rating} key={rating}>
                <Face rating={rating} /> {t(`visitor.rate_${rating}`)}
              </button>
            ))}
          </div>
        </ActForm>
      )}
      <Erase perform={perform} />
    </>
  )
}

/** A mouth from sad to glad; the words beside it say the same. */
function Face({ rating }: { rating: number }) {
  const bend = 15 + (3 - rating) * -2
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={`M12 3a9 9 0 1 1 0 18a9 9 0 1 1 0-18zM9 9.5h.01M15 9.5h.01M8 15Q12 ${bend} 16 15`} />
    </svg>
  )
}

function Erase({ perform }: { perform: Perform }) {
  return (
    <ActForm act="erase" perform={perform}>
      <button class="button wide bare">{t('visitor.erase')}</button>
    </ActForm>
  )
}
