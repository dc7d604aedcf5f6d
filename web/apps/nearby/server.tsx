import 'messages:fr'
import 'messages:en'
import 'messages:ar'
import { renderToString } from 'preact-render-to-string'
import type { Language } from '../../../shared/format.ts'
import { setLanguage } from '../../ui/messages.ts'
import { NearbyApp } from './app.tsx'
import type { PageProps } from './data.ts'

/** The page as it is before, and without, scripts. */
export function render(language: Language, props: PageProps): string {
  setLanguage(language)
  return renderToString(<NearbyApp {...props} />)
}
