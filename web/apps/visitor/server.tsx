import 'messages:fr'
import 'messages:en'
import 'messages:ar'
import { renderToString } from 'preact-render-to-string'
import type { Language } from '../../../shared/format.ts'
import { setLanguage, t } from '../../ui/messages.ts'

/** The page's content as it is before any script runs. */
export function render(language: Language): string {
  setLanguage(language)
  return renderToString(<h1>{t('visitor.your_number')}</h1>)
}
