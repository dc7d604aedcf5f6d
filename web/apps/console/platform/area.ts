import type { Area, Page } from '../shell/shell.ts'
import { ROWS } from './rows.ts'

/** Its lists and forms speak the words of the configuration. */
const texts = (own: () => Promise<unknown>, admin: () => Promise<unknown>) => () => Promise.all([own(), admin()])
const AREA: Area = {
  title: 'console.page_platform',
  icon: 'layers',
  texts: {
    fr: texts(
      () => import('messages:fr:platform'),
      () => import('messages:fr:admin'),
    ),
    en: texts(
      () => import('messages:en:platform'),
      () => import('messages:en:admin'),
    ),
    ar: texts(
      () => import('messages:ar:platform'),
      () => import('messages:ar:admin'),
    ),
  },
}

/** For who runs the installation. */
export const PLATFORM_PAGES: readonly Page[] = ROWS.map(([name, roles, scope]) => ({
  id: `platform-${name}`,
  area: AREA,
  path: `platform/${name}`,
  title: `console.page_platform_${name}`,
  roles,
  scopes: [scope],
  load: async () => ({ default: (await import('./pages.tsx')).pages[name] }),
}))
