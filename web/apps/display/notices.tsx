import { Fragment } from 'preact'
import type { Language } from '../../../shared/format.ts'
import { clockTime, day } from '../../ui/format.ts'
import { t, type MessageKey } from '../../ui/messages.ts'
import { Code } from '../../ui/parts/preact.ts'
import { QrCode } from '../../ui/parts/qr.tsx'
import { In } from './in.tsx'
import { Owner, Stripe } from './owner.tsx'
import type { Model } from './model.ts'
import type { PairingCode } from '../../data/pairing.ts'

const ALL: Language[] = ['fr', 'en', 'ar']

/** One sentence in every language: before anything is known of the house. */
export function Plain({ text }: { text: MessageKey }) {
  return (
    <main class="notice">
      {ALL.map((language) => (
        <p key={language}>
          <In language={language}>{t(text, {}, language)}</In>
        </p>
      ))}
    </main>
  )
}

/** What staff types into the list of devices. */
export function Pairing({ pairing: { code } }: { pairing: PairingCode }) {
  return (
    <main class="notice">
      <h1 class="pairing-code">
        <Code>{code}</Code>
      </h1>
      {ALL.map((language) => (
        <p key={language}>
          <In language={language}>{t('display.pairing', {}, language)}</In>
        </p>
      ))}
      <QrCode text={`${location.origin}/app/admin/devices?pair=${code}`} label={t('display.pairing')} />
    </main>
  )
}

/** The house is closed: when it opens, and where to take a number then. */
export function Closed({ model, languages }: { model: Model; languages: Language[] }) {
  const { site, tenant } = model.screen!
  return (
    <main class="notice">
      <Stripe model={model} />
      <Owner model={model} />
      <h1>{site.name}</h1>
      {languages.map((language) => (
        <p key={language}>
          <In language={language}>
            {site.opens_at
              ? t(
                  'display.closed_until',
                  {
                    day: day(site.opens_at, site.timezone, language),
                    time: clockTime(site.opens_at, site.timezone, language),
                  },
                  language,
                )
              : t('queue_status.closed', {}, language)}
          </In>
        </p>
      ))}
      {site.last_ticket_at && (
        <p class="last-ticket" data-last-ticket={site.last_ticket_at}>
          {languages.map((language, at) => (
            <Fragment key={language}>
              {at > 0 && ' · '}
              <In language={language}>
                {t('display.last_ticket', { time: clockTime(site.last_ticket_at!, site.timezone, language) }, language)}
              </In>
            </Fragment>
          ))}
        </p>
      )}
      <QrCode text={`${location.origin}/site/${tenant.slug}/${site.slug}`} label={t('display.join_by_phone')} />
      <p class="clock">
        <Code>{clockTime(new Date(model.now).toISOString(), site.timezone)}</Code>
      </p>
    </main>
  )
}
