import { currentLanguage, t } from '../messages.ts'
import { Icon } from '../parts/preact.ts'
import { isOffered } from './offered.ts'

const LANGUAGES = [
  ['fr', 'FR', 'Français'],
  ['en', 'EN', 'English'],
  ['ar', 'ع', 'العربية'],
] as const

/** Where one is, and the way to the other languages. */
export function Header({ place }: { place: string }) {
  const current = LANGUAGES.find(([language]) => language === currentLanguage())!
  return (
    <header class="header">
      <p class="header-place">{place}</p>
      <details class="languages">
        <summary aria-label={`${current[1]} · ${t('ui.language')}`}>
          {current[1]} <Icon name="down" />
        </summary>
        <ul>
          {LANGUAGES.filter(([language]) => isOffered(language)).map(([language, , name]) => (
            <li key={language}>
              <a
                href={`?lang=${language}`}
                lang={language}
                hreflang={language}
                aria-current={language === currentLanguage() ? 'true' : undefined}
              >
                {name}
              </a>
            </li>
          ))}
        </ul>
      </details>
    </header>
  )
}

export function Notice({ text, kind }: { text: string | undefined; kind?: 'danger' }) {
  return text ? (
    <p class="banner" role="alert" data-kind={kind}>
      {text}
    </p>
  ) : null
}
