import type { Language } from '../../shared/format.ts'
import { setLanguage } from './messages.ts'

/** What the server puts into a page for its app: JSON that is never run. */
export function pageData<Data>(): Data {
  return JSON.parse(document.getElementById('data')!.textContent!) as Data
}

/** Sets the page's language for all texts drawn from now on; its texts were added by the page's own module. */
export function startPage(): Language {
  const language = document.documentElement.lang as Language
  setLanguage(language)
  return language
}
