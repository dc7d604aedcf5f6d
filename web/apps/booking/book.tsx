import { useEffect, useRef } from 'preact/hooks'
import { formatDuration } from '../../../shared/format.ts'
import { currentLanguage, t } from '../../ui/messages.ts'
import { LineBadge } from '../../ui/parts/preact.ts'
import { Header, Notice } from '../../ui/public/parts.tsx'
import type { Month } from '../../../shared/booking.ts'
import type { BookProps, Field, Place } from './data.ts'
import { daysIn } from './dates.ts'
import { MonthGrid } from './month.tsx'
import { Times, ZoneNote } from './times.tsx'
import { useMonth } from './use-month.ts'

type Service = Place['services'][number]
const nameOf = ({ names, name }: Service) => names[currentLanguage()] ?? name

/** Service, day, time, person: one page, one button. */
export function BookPage(props: BookProps) {
  const { place, tenant, slug, service_id, month } = props
  const service = place.services.find((each) => each.service_id === service_id)
  const path = `/site/${tenant}/${slug}/book`
  return (
    <main class="page">
      <Header place={place.tenant_name} />
      <h1 class="title">{t('booking.title')}</h1>
      <p class="muted">{[place.site.name, place.site.address].filter(Boolean).join(', ')}</p>
      {service && month !== undefined ? (
        <>
          <BookForm {...props} {...monthIn(props)} service={service} />
          <WaitForm {...props} service={service} />
        </>
      ) : (
        <Services services={place.services} path={path} refusal={props.refusal} />
      )}
      <p class="find-link">
        {service && place.services.length > 1 ? (
          <a href={`${path}?lang=${currentLanguage()}`}>{t('booking.other_service')}</a>
        ) : (
          <a href={`/site/${tenant}/${slug}?lang=${currentLanguage()}`}>{t('booking.back_to_site')}</a>
        )}
      </p>
    </main>
  )
}

const monthIn = ({ month = '', free = {}, day, times = [], reasons = {} }: Partial<Month>): Month => ({
  month,
  free,
  ...(day && { day }),
  times,
  reasons,
})

function Services({ services, path, refusal }: { services: Service[]; path: string; refusal?: string | undefined }) {
  if (services.length === 0) return <p class="banner">{t('booking.nothing')}</p>
  return (
    <>
      <Notice text={refusal} kind="danger" />
      <h2 class="subtitle">{t('booking.choose_service')}</h2>
      <ul class="services">
        {services.map((service) => (
          <li key={service.queue_id}>
            <a class="card service" href={`${path}/${service.service_id}?lang=${currentLanguage()}`}>
              <LineBadge code={service.code} />
              <span>
                <strong>{nameOf(service)}</strong>
                <small>{formatDuration(service.duration_seconds, currentLanguage())}</small>
              </span>
            </a>
          </li>
        ))}
      </ul>
    </>
  )
}

function BookForm(props: BookProps & Month & { service: Service }) {
  const { tenant, place, service, refusal, fields = {}, isAboutTime, form, formKey, chosen } = props
  const language = currentLanguage()
  const hrefOf = (query: { month: string } | { day: string }) =>
    `?${new URLSearchParams({ ...query, lang: language }).toString()}`
  const { month, pick, turn } = useMonth(props, { tenant, place, serviceId: service.service_id, hrefOf })
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (isAboutTime) heading.current?.focus()
    else if (refusal) document.querySelector<HTMLElement>('[aria-invalid]')?.focus()
  }, [])
  const text = (name: Field, attributes: object, hint?: string) => (
    <label class="field">
      <span>
        {t(`booking.${name}`)} {hint && <span class="muted">{hint}</span>}
      </span>
      <input
        name={name}
        defaultValue={form[name]}
        aria-invalid={fields[name] ? 'true' : undefined}
        aria-describedby={fields[name] ? `${name}-problem` : undefined}
        {...attributes}
      />
      {fields[name] && (
        <span class="problem" id={`${name}-problem`}>
          {fields[name]}
        </span>
      )}
    </label>
  )
  const optional = `(${t('booking.optional')})`
  const firstTime = month.times[0]?.start_at ?? `${place.today}T12:00:00Z`
  return (
    <form method="post" action={hrefOf({ month: month.month })} class="book">
      <input type="hidden" name="key" value={formKey} />
      <input type="hidden" name="queue_id" value={service.queue_id} />
      <input type="hidden" name="day" value={month.day ?? ''} />
      <p class="chosen">
        <LineBadge code={service.code} /> <strong>{nameOf(service)}</strong>
        <span class="muted"> · {formatDuration(service.duration_seconds, language)}</span>
      </p>
      {!isAboutTime && <Notice text={refusal} kind="danger" />}
      <MonthGrid {...{ month, hrefOf, pick, turn }} first={place.today} last={place.last_day} />
      <ZoneNote zone={place.site.timezone} instant={firstTime} place={place.site.name} />
      <Times month={month} chosen={chosen} problem={isAboutTime ? refusal : undefined} heading={heading} />
      <fieldset class="person">
        <legend class="subtitle">{t('booking.person')}</legend>
        {text('name', { required: true, maxLength: 200, autocomplete: 'name' })}
        {text('phone', { type: 'tel', maxLength: 40, autocomplete: 'tel', dir: 'ltr' }, optional)}
        {text(
          'email',
          { type: 'email', maxLength: 254, autocomplete: 'email', dir: 'ltr', required: service.needs_email },
          service.needs_email ? t('booking.email_confirms') : optional,
        )}
        {service.most_people > 1 &&
          text('party_size', { type: 'number', min: 1, max: service.most_people, inputMode: 'numeric' }, optional)}
        {text('note', { maxLength: 2000 }, optional)}
      </fieldset>
      <div class="bottom">
        <button class="button wide" data-kind="primary">
          {t('booking.book')}
        </button>
      </div>
    </form>
  )
}

/** Whoever finds nothing that suits asks to be told when a place frees up. */
function WaitForm({
  tenant,
  slug,
  place,
  service,
  month = '',
  formKey,
  form,
  waits,
}: BookProps & { service: Service }) {
  const language = currentLanguage()
  const end = `${month}-${daysIn(month)}`
  const days = { type: 'date', min: place.today, max: place.last_day, required: true } as const
  return (
    <details class="wait" open={waits}>
      <summary>{t('booking.wait')}</summary>
      <form
        method="post"
        action={`/site/${tenant}/${slug}/book/${service.service_id}/wait?lang=${language}`}
        class="book"
      >
        <p class="muted">{t('booking.wait_hint')}</p>
        <input type="hidden" name="key" value={formKey} />
        <input type="hidden" name="queue_id" value={service.queue_id} />
        <label class="field">
          {t('booking.wait_from')}
          <input name="from_day" {...days} defaultValue={`${month}-01` > place.today ? `${month}-01` : place.today} />
        </label>
        <label class="field">
          {t('booking.wait_to')}
          <input name="to_day" {...days} defaultValue={end < place.last_day ? end : place.last_day} />
        </label>
        <label class="field">
          {t('booking.name')}
          <input name="name" required maxLength={200} autocomplete="name" defaultValue={form.name} />
        </label>
        <label class="field">
          {t('booking.email')}
          <input
            name="email"
            type="email"
            required
            maxLength={254}
            autocomplete="email"
            dir="ltr"
            defaultValue={form.email}
          />
        </label>
        <button class="button wide">{t('booking.wait_join')}</button>
      </form>
    </details>
  )
}
