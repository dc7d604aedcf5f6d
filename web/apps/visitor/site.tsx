import { useEffect, useState } from 'preact/hooks'
import { call } from '../../data/api.ts'
import { oneAtATime } from '../../data/one-at-a-time.ts'
import { ticketsSitePage } from '../../data/operations.ts'
import { clockTime, day, waitRange } from '../../ui/format.ts'
import { currentLanguage, t } from '../../ui/messages.ts'
import { Icon, LineBadge, TicketNumber } from '../../ui/parts/preact.ts'
import { Header, Notice } from '../../ui/public/parts.tsx'
import type { SiteData, SiteProps } from './data.ts'

type Line = SiteData['lines'][number]
const takes = ({ status }: Line) => status === 'open' || status === 'closing'
const NEEDS = ['hearing', 'sight', 'standing'] as const
/** Lengths and states are read again this often while somebody looks: what is stopped is not offered two seconds later. */
const REFRESH_MS = 1500

/** What can be taken here: one choice, one button. */
export function SitePage({
  tenant,
  slug,
  site: first,
  own,
  refusal,
  formKey,
  phone,
  chosen,
  needs = [],
}: Omit<SiteProps, 'page'>) {
  const site = useFresh(first, tenant, slug)
  const { name, timezone, address } = site.site
  const openLines = site.lines.filter(takes)
  const radius = site.site.presence_radius_metres
  const [told, setTold] = useState(refusal)
  /** Where numbers are given on the spot, the form waits for the place, which is asked for with this touch and not before. */
  function submitted(event: Event): void {
    const form = event.currentTarget as HTMLFormElement
    const place = form.querySelector<HTMLInputElement>('[name=location]')
    if (!place || place.value) return
    event.preventDefault()
    setTold(t('visitor.locating'))
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        place.value = `${coords.longitude.toFixed(5)},${coords.latitude.toFixed(5)}`
        form.submit()
      },
      () => setTold(t('visitor.location_refused')),
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 },
    )
  }
  return (
    <main class="page">
      <Header place={site.tenant_name} />
      <h1 class="title">{name}</h1>
      {address && (
        <p class="muted">
          <bdi>{address}</bdi>
        </p>
      )}
      <Hours site={site} timezone={timezone} />
      <Notice text={told} />
      {own.map(({ number, token, code }) => (
        <a class="card own" key={token} href={`/t/${token}/?lang=${currentLanguage()}`}>
          <LineBadge code={code} />
          <span>
            {t('visitor.has_ticket')}
            <TicketNumber>{number}</TicketNumber>
          </span>
          <Icon name="next" />
        </a>
      ))}
      <form method="post" action={`?lang=${currentLanguage()}`} class="take" onSubmit={submitted}>
        <input type="hidden" name="key" value={formKey} />
        {radius !== null && <input type="hidden" name="location" />}
        <fieldset class="lines">
          <legend class="subtitle">{t('visitor.choose_service')}</legend>
          {site.lines.map((line) => (
            <LineChoice
              key={line.id}
              line={line}
              isChosen={chosen === line.id || (openLines.length === 1 && takes(line))}
            />
          ))}
        </fieldset>
        {openLines.length === 0 ? (
          <p class="banner">{t('visitor.nothing_open')}</p>
        ) : (
          <>
            <details class="needs" open={phone !== undefined || needs.length > 0}>
              <summary>{t('visitor.needs')}</summary>
              {NEEDS.map((need) => (
                <label class="check" key={need}>
                  <input type="checkbox" name="needs" value={need} defaultChecked={needs.includes(need)} />
                  {t(`visitor.need_${need}`)}
                </label>
              ))}
              <label class="field">
                {t('visitor.phone_label')}
                <input type="tel" name="phone" autocomplete="tel" dir="ltr" maxLength={30} defaultValue={phone} />
              </label>
              <p class="muted small">{t('visitor.phone_hint')}</p>
            </details>
            {radius !== null && <p class="muted small">{t('visitor.presence', { metres: radius })}</p>}
            <div class="bottom">
              <button class="button wide" data-kind="primary">
                {t('visitor.take')}
              </button>
            </div>
          </>
        )}
      </form>
      {site.lines.some((line) => line.takes_appointments) && (
        <a class="button wide" data-book href={`/site/${tenant}/${slug}/book?lang=${currentLanguage()}`}>
          {t('visitor.book')}
        </a>
      )}
      <p class="find-link">
        <a href={`/site/${tenant}/${slug}/find?lang=${currentLanguage()}`}>{t('visitor.find')}</a>
      </p>
      <p class="find-link">
        <a href={`/nearby/${tenant}?lang=${currentLanguage()}`}>{t('visitor.nearby')}</a>
      </p>
    </main>
  )
}

function Hours({ site, timezone }: { site: SiteData; timezone: string }) {
  const reason = site.reason[currentLanguage()]
  if (site.is_open)
    return (
      <p class="muted">
        {site.closes_at ? t('visitor.open_until', { time: clockTime(site.closes_at, timezone) }) : t('visitor.open')}
      </p>
    )
  return (
    <div class="card" data-closed>
      <p class="figure">{t('visitor.closed')}</p>
      {reason && <p>{reason}</p>}
      <p>
        {site.opens_at
          ? t('visitor.opens_at', { day: day(site.opens_at, timezone), time: clockTime(site.opens_at, timezone) })
          : t('visitor.opens_unknown')}
      </p>
    </div>
  )
}

function LineChoice({ line, isChosen }: { line: Line; isChosen: boolean }) {
  const isOpen = takes(line)
  return (
    <label class="line" data-status={line.status}>
      <input type="radio" name="queue_id" value={line.id} disabled={!isOpen} required defaultChecked={isChosen} />
      <LineBadge code={line.code} />
      <span class="line-text">
        <span class="line-name">{line.names[currentLanguage()] ?? line.name}</span>
        <span class="line-wait">{isOpen ? waitOf(line) : closedText(line)}</span>
      </span>
    </label>
  )
}

function waitOf(line: Line): string {
  const waiting = t('visitor.waiting_count', { count: line.waiting })
  if (line.eta_low_seconds === null) return waiting
  return `${waitRange(line.eta_low_seconds, line.eta_high_seconds)} · ${waiting}`
}
function closedText(line: Line): string {
  if (line.status === 'paused') return t('visitor.line_paused')
  if (line.status === 'full') return t('visitor.line_full', { count: line.max_capacity ?? line.waiting })
  return t('visitor.line_closed')
}

/** The page as the server wrote it, then as it is now, while it is looked at. */
function useFresh(first: SiteData, tenant: string, slug: string): SiteData {
  const [site, setSite] = useState(first)
  useEffect(() => {
    const read = oneAtATime(() => call(ticketsSitePage, { tenant, slug }).then(setSite, () => {}))
    const look = () => {
      if (document.visibilityState === 'visible') read()
    }
    const timer = setInterval(look, REFRESH_MS)
    // Who comes back to the page finds it as it is.
    addEventListener('visibilitychange', look)
    return () => {
      clearInterval(timer)
      removeEventListener('visibilitychange', look)
    }
  }, [tenant, slug])
  return site
}
