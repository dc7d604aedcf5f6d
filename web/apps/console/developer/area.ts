import type { Area, Page } from '../shell/shell.ts'
import { ROWS } from './rows.ts'

/** Its lists and forms speak the words of the configuration. */
const texts = (own: () => Promise<unknown>, admin: () => Promise<unknown>) => () => Promise.all([own(), admin()])
const AREA: Area = {
  title: 'console.page_developer',
  icon: 'code',
  texts: {
    fr: texts(
      () => import('messages:fr:developer'),
      () => import('messages:fr:admin'),
    ),
    en: texts(
      () => import('messages:en:developer'),
      () => import('messages:en:admin'),
    ),
    ar: texts(
      () => import('messages:ar:developer'),
      () => import('messages:ar:admin'),
    ),
  },
}

/** For who connects other programs. */
export const DEVELOPER_PAGES: readonly Page[] = ROWS.map(([name, roles, scope]) => ({
  id: `developer-${name}`,
  area: AREA,
  path: `developer/${name}`,
  title: `console.page_developer_${name}`,
  roles,
  scopes: [scope],
  load: async () => ({ default: (await import('./pages.tsx')).pages[name] }),
}))
