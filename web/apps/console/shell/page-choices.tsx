import { keyLabel } from '../keys/stroke.ts'
import type { Choice } from '../parts/chooser.tsx'
import { t } from '../../../ui/messages.ts'
import { navigate } from './router.ts'
import type { Shell } from './shell.ts'

/** The pages this person may open, for a palette; none where there is only one. */
export function pageChoices({ pages }: Shell): Choice[] {
  if (pages.length < 2) return []
  return pages.map(({ id, title, area, key }) => ({
    id: `page-${id}`,
    words: `${t(title)} ${t(area.title)}`,
    label: t('console.open_page', { page: t(title) }),
    hint: key && <kbd className="key">{`G ${keyLabel(key)}`}</kbd>,
  }))
}
/** Opens the page that was chosen; false when the choice was none. */
export function openChoice({ pages }: Shell, choice: string): boolean {
  const page = pages.find(({ id }) => choice === `page-${id}`)
  if (page) navigate(page.path)
  return page !== undefined
}
