import type { Area, Page } from '../shell/shell.ts'
import { groupOf, ROWS, type Row } from './rows.ts'

const AREA: Area = {
  title: 'console.page_admin',
  icon: 'sliders',
  texts: {
    fr: () => import('messages:fr:admin'),
    en: () => import('messages:en:admin'),
    ar: () => import('messages:ar:admin'),
  },
}

/** The first page needs no heading. */
function group(name: Row[0]): Pick<Page, 'group'> {
  const own = groupOf(name)
  return own === 'start' ? {} : { group: `console.group_${own}` }
}

/** The organisation's configuration. */
export const ADMIN_PAGES: readonly Page[] = ROWS.map(([name, roles, scope, key]) => ({
  id: `admin-${name}`,
  area: AREA,
  path: `admin/${name}`,
  title: `console.page_admin_${name}`,
  ...group(name),
  ...(key && { key }),
  roles,
  scopes: [scope],
  load: async () => ({ default: (await import('./pages.tsx')).pages[name] }),
}))
