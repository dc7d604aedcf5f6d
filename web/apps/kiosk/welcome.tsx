import { Fragment } from 'preact'
import type { Language } from '../../../shared/format.ts'
import { clockTime, day } from '../../ui/format.ts'
import { t } from '../../ui/messages.ts'
import { Code } from '../../ui/parts/preact.ts'
import { Logo } from '../../ui/parts/logo.tsx'
import { QrCode } from '../../ui/parts/qr.tsx'
import type { House } from './machine.ts'

const NAMES: Record<Language, string> = { fr: 'Français', en: 'English', ar: 'العربية' }
const directionOf = (language: Language) => (language === 'ar' ? 'rtl' : 'ltr')

/** What staff types into the list of devices. */
export function PairingPage({ code }: { code: string }) {
  return (
    <main class="kiosk" data-step="pairing">
      <h1 class="pairing-code">
        <Code>{code}</Code>
      </h1>
      {(['fr', 'en', 'ar'] as const).map((language) => (
        <p key={language} lang={language} dir={directionOf(language)}>
          {t('kiosk.pairing', {}, language)}
        </p>
      ))}
      <QrCode text={`${location.origin}/app/admin/devices?pair=${code}`} label={t('kiosk.pairing')} />
    </main>
  )
}

/** Whose machine it is. */
function Owner({ page: { tenant_name, brand } }: Pick<House, 'page'>) {
  return (
    <p class="house">
      <Logo brand={brand} />
      <span>{tenant_name}</span>
    </p>
  )
}

interface Props {
  house: House
  languages: readonly Language[]
  onLanguage(language: Language): void
  onCheckIn(language: Language): void
}
/** Every language at once: nobody has chosen one yet. Who has an appointment says so in their own, and is asked for its code. */
export function Welcome({ house: { tenant, page, hasAppointments }, languages, onLanguage, onCheckIn }: Props) {
  return (
    <>
      <header class="top">
        <Owner page={page} />
        <h1 class="title">{page.site.name}</h1>
        {!page.is_open && <Closed tenant={tenant} page={page} languages={languages} />}
      </header>
      <div class="choices languages" data-appointments={hasAppointments} data-shut={!page.is_open}>
        {languages.map((language) => (
          <Fragment key={language}>
            <button
              type="button"
              class="button language"
              lang={language}
              dir={directionOf(language)}
              onClick={() => onLanguage(language)}
            >
              <small>{t('kiosk.welcome', {}, language)}</small>
              {NAMES[language]}
            </button>
            {hasAppointments && (
              <button
                type="button"
                class="button"
                data-check-in={language}
                lang={language}
                dir={directionOf(language)}
                onClick={() => onCheckIn(language)}
              >
                {t('kiosk.appointment', {}, language)}
              </button>
            )}
          </Fragment>
        ))}
      </div>
    </>
  )
}

/** Somebody has switched it off: whoever stands here is sent on. */
export function OutOfService({ house: { page }, languages }: Pick<Props, 'house' | 'languages'>) {
  return (
    <header class="top" data-off>
      <Owner page={page} />
      <h1 class="title">{page.site.name}</h1>
      {languages.map((language) => (
        <p class="card" key={language} lang={language} dir={directionOf(language)}>
          <strong>{t('kiosk.off', {}, language)}</strong>
        </p>
      ))}
    </header>
  )
}

function Closed({ tenant, page, languages }: { tenant: string; page: House['page']; languages: readonly Language[] }) {
  const { timezone, slug } = page.site
  const hasBooking = page.lines.some(({ takes_appointments }) => takes_appointments)
  return (
    <section class="card" data-closed>
      <div>
        {languages.map((language) => (
          <p key={language} lang={language} dir={directionOf(language)}>
            <strong>{t('kiosk.closed', {}, language)}</strong>
            {page.opens_at && (
              <>
                {' · '}
                {t(
                  'kiosk.opens',
                  {
                    day: day(page.opens_at, timezone, language),
                    time: clockTime(page.opens_at, timezone, language),
                  },
                  language,
                )}
              </>
            )}
            {hasBooking && ` · ${t('kiosk.book', {}, language)}`}
          </p>
        ))}
      </div>
      {hasBooking && <QrCode text={`${location.origin}/site/${tenant}/${slug}/book`} label={t('kiosk.book')} />}
    </section>
  )
}
