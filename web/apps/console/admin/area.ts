import type { Area, Page } from '../shell/shell.ts'
import { ROWS } from './rows.ts'

const AREA: Area = {
  title: 'console.page_admin',
  icon: 'sliders',
  texts: {
    fr: () => import('messages:fr:admin'),
    en: () => import('messages:en:admin'),
    ar: () => import('messages:ar:admin'),
  },
}

/** The organisation's configuration. */
export const ADMIN_PAGES: readonly Page[] = ROWS.map(([name, roles, scope, key]) => ({
  id: `admin-${name}`,
  area: AREA,
  path: `admin/${name}`,
  title: `console.page_admin_${name}`,
  ...(key && { key }),
  roles,
  scopes: [scope],
  load: async () => ({ default: (await import('./pages.tsx')).pages[name] }),
}))
