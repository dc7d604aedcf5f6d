import { currentLanguage, t } from '../../../ui/messages.ts'

const NAMES = { fr: 'Français', en: 'English', ar: 'العربية' } as const

/** The same page in another language; the session and the ticket in hand are kept by the server. */
export function Languages() {
  return (
    <nav className="languages" aria-label={t('ui.language')}>
      {(['fr', 'en', 'ar'] as const).map((language) => {
        const query = new URLSearchParams(location.search)
        query.set('lang', language)
        const isCurrent = language === currentLanguage()
        return (
          <a
            key={language}
            href={`?${query}`}
            lang={language}
            hrefLang={language}
            aria-current={isCurrent || undefined}
          >
            {NAMES[language]}
          </a>
        )
      })}
    </nav>
  )
}
