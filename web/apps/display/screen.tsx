import { Fragment, type ComponentChildren } from 'preact'
import type { Language } from '../../../shared/format.ts'
import type { Call } from '../../../shared/views.ts'
import { clockTime, counterName } from '../../ui/format.ts'
import { t, type MessageKey } from '../../ui/messages.ts'
import { Code, Icon, LineBadge, TicketNumber } from '../../ui/parts/preact.ts'
import {
  counterShort,
  isClosed,
  languagesOf,
  lineWaits,
  mediaNow,
  recentCalls,
  type LineWait,
  type Model,
} from './model.ts'
import { Closed, Pairing, Plain } from './notices.tsx'
import { Logo } from '../../ui/parts/logo.tsx'
import { In } from './in.tsx'
import { Owner, Stripe } from './owner.tsx'
import { Media } from './media.tsx'

/** Lines of the footer that fit; more take turns. */
const LINES_AT_ONCE = 2
/** So long each line of a footer with many, and each language of the house's own line. */
const TURN_SECONDS = 6

export interface ScreenProps {
  model: Model
  onUnlockSound(): void
}

export function Screen({ model, onUnlockSound }: ScreenProps) {
  const { pairing, isSentAway, screen, view, isSoundLocked } = model
  if (isSentAway) return <Plain text="display.sent_away" />
  if (!screen || !view) return pairing ? <Pairing pairing={pairing} /> : <Plain text="ui.loading" />
  const languages = languagesOf(screen)
  return (
    <>
      {isClosed(model) ? <Closed model={model} languages={languages} /> : <Calls model={model} languages={languages} />}
      {screen.display.alert && <Alert text={screen.display.alert.text} kind={screen.display.alert.kind} />}
      {isSoundLocked && (
        <button type="button" class="button sound-lock" onClick={onUnlockSound}>
          <Icon name="mute" /> {t('display.unlock_sound')}
        </button>
      )}
    </>
  )
}

function Calls({ model, languages }: { model: Model; languages: Language[] }) {
  const { announcement, freshness, screen } = model
  const isOld = freshness !== 'fresh'
  const rows = recentCalls(model)
  const hasMedia = !announcement?.isNow && mediaNow(model) !== null
  return (
    <main
      class="wall"
      data-layout={screen!.display.settings.layout === 'single_call' ? 'single' : 'list'}
      data-media={hasMedia ? 'true' : 'false'}
    >
      <section class="hero" data-now={announcement?.isNow ? 'true' : 'false'} aria-live="assertive">
        {announcement ? (
          <Hero call={announcement.call} model={model} languages={languages} />
        ) : (
          <>
            <Owner model={model} />
            <Stacked languages={languages} text="display.welcome" />
          </>
        )}
      </section>
      {/* Nothing moves beside a call. */}
      {hasMedia && <Media model={model} languages={languages} />}
      <aside class="side">
        <ol class="rows" aria-label={t('display.recent_calls')}>
          {rows.map((call, age) => (
            <Row key={`${call.ticket_id} ${call.at}`} call={call} model={model} age={age} isOld={isOld} />
          ))}
        </ol>
        <Footer model={model} languages={languages} />
      </aside>
      <Stripe model={model} />
      {isOld && (
        <output class="banner lost" data-stale={freshness}>
          <Icon name="offline" /> <Joined languages={languages} text="display.link_lost" />
        </output>
      )}
    </main>
  )
}

function Hero({ call, model, languages }: { call: Call; model: Model; languages: Language[] }) {
  const { timezone } = model.screen!.site
  const where = languages.map((language) => ({ language, label: counterName(call.counter_name, language) }))
  // A counter with a name of its own reads the same in every language: once is enough.
  const lines = where.filter(({ label }, at) => label && where.findIndex((other) => other.label === label) === at)
  return (
    <>
      <p class="hero-label">
        <Joined languages={languages} text="ticket_status.called" />
        {model.freshness !== 'fresh' && (
          <>
            {' · '}
            <Code>{clockTime(call.at, timezone)}</Code>
          </>
        )}
      </p>
      <p class="hero-number">
        <TicketNumber>{call.number}</TicketNumber>
      </p>
      {lines.map(({ language, label }, at) => (
        <p
          class="hero-counter"
          key={language}
          data-order={at}
          data-long={label.length > 14 ? 'true' : 'false'}
          dir="ltr"
        >
          {at === 0 && <Arrow />}
          <In language={language}>{label}</In>
        </p>
      ))}
    </>
  )
}

/** Points where people have to go, so it does not turn around with the script. */
const Arrow = () => (
  <svg class="arrow" viewBox="0 0 32 24" aria-hidden="true">
    <path d="M2 12h27M19 2l10 10l-10 10" />
  </svg>
)

function Row({ call, model, age, isOld }: { call: Call; model: Model; age: number; isOld: boolean }) {
  const code = model.screen!.queues.find(({ id }) => id === call.queue_id)?.code ?? ''
  return (
    <li class="row" data-age={Math.min(age, 4)}>
      <TicketNumber>{call.number}</TicketNumber>
      {isOld && <Code>{clockTime(call.at, model.screen!.site.timezone)}</Code>}
      <span class="row-where">
        <LineBadge code={code} />
        <Code>{counterShort(call.counter_name)}</Code>
      </span>
    </li>
  )
}

function Footer({ model, languages }: { model: Model; languages: Language[] }) {
  const { screen, now, announcement } = model
  const turn = Math.floor(now / 1000 / TURN_SECONDS)
  const language = announcement?.isNow ? languages[0]! : languages[turn % languages.length]!
  const { message, show_wait: isShown = true, layout } = screen!.display.settings
  const waits = isShown && layout !== 'calls' ? lineWaits(model, language) : []
  const pages = Math.max(1, Math.ceil(waits.length / LINES_AT_ONCE))
  const page = (Math.floor(turn / languages.length) % pages) * LINES_AT_ONCE
  const { tenant, display } = screen!
  const { brand } = tenant
  const said = message?.[language] ?? message?.[languages[0]!]
  return (
    <footer class="foot">
      {waits.length > 0 && (
        <p class="foot-line">
          <In language={language}>
            <span class="foot-title">{t('display.wait', {}, language)}</span>
            {waits.slice(page, page + LINES_AT_ONCE).map((wait) => (
              <Wait key={wait.id} wait={wait} language={language} />
            ))}
          </In>
        </p>
      )}
      <p class="foot-line">
        {announcement && <Logo brand={brand} />}
        <span class="foot-said">{said ? <In language={language}>{said}</In> : <bdi>{tenant.name}</bdi>}</span>
        <span class="foot-name">
          <bdi>{display.name}</bdi>
        </span>
        <span class="clock">
          <Code>{clockTime(new Date(now).toISOString(), screen!.site.timezone)}</Code>
        </span>
      </p>
    </footer>
  )
}

function Wait({ wait: { code, range, waiting }, language }: { wait: LineWait; language: Language }) {
  return (
    <span class="wait">
      <LineBadge code={code} label={t('ui.line', { line: code }, language)} />{' '}
      {range && (
        <>
          <bdi>{range}</bdi> ·{' '}
        </>
      )}
      <Icon name="people" />{' '}
      <bdi aria-label={t('display.waiting', { count: waiting }, language)}>{String(waiting)}</bdi>
    </span>
  )
}

function Alert({ text, kind }: { text: Partial<Record<Language, string>>; kind: string }) {
  return (
    <div class="alert" role="alert" data-kind={kind}>
      <Icon name="alert" />
      {(Object.keys(text) as Language[]).map((language) => (
        <p key={language}>
          <In language={language}>{text[language]}</In>
        </p>
      ))}
    </div>
  )
}

/** The same words in every language, on one line. */
function Joined({ languages, text }: { languages: Language[]; text: MessageKey }) {
  const words: ComponentChildren = languages.map((language, at) => (
    <Fragment key={language}>
      {at > 0 && ' · '}
      <In language={language}>{t(text, {}, language)}</In>
    </Fragment>
  ))
  return <>{words}</>
}

function Stacked({ languages, text }: { languages: Language[]; text: 'display.welcome' }) {
  const lines: ComponentChildren = languages.map((language) => (
    <p class="welcome" key={language}>
      <In language={language}>{t(text, {}, language)}</In>
    </p>
  ))
  return <>{lines}</>
}
