import type { Language } from '../../../shared/format.ts'

let offered: readonly Language[] = ['fr', 'en', 'ar']
/** Languages that the organisation serves its visitors in; said before a page is drawn. */
export function offerLanguages(page: object): void {
  const { languages } = page as { languages?: readonly Language[] }
  if (languages) offered = languages
}
export const isOffered = (language: Language): boolean => offered.includes(language)
