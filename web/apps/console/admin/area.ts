import type { Area, Page } from '../shell/shell.ts'

type Name = keyof (typeof import('./pages.tsx'))['pages']
const AREA: Area = {
  title: 'console.page_admin',
  icon: 'sliders',
  texts: {
    fr: () => import('messages:fr:admin'),
    en: () => import('messages:en:admin'),
    ar: () => import('messages:ar:admin'),
  },
}
/** Name, roles and scope of what a page cannot do without; the letter after `G`. */
const ROWS: readonly [Name, Page['roles'], Page['scopes'][number], string?][] = [
  ['setup', ['admin'], 'admin:tenant', 'w'],
  ['sites', ['admin'], 'write:site', 's'],
  ['services', ['admin'], 'write:site', 'e'],
  ['counters', ['admin'], 'write:site'],
  ['queues', ['admin', 'supervisor'], 'write:queue', 'q'],
  ['rules', ['admin', 'supervisor'], 'write:queue', 'r'],
  ['booking', ['admin', 'supervisor'], 'write:queue'],
  ['agents', ['admin', 'supervisor'], 'write:agent'],
  ['profiles', ['admin', 'supervisor'], 'write:agent'],
  ['users', ['admin'], 'admin:tenant', 'u'],
  ['invitations', ['admin'], 'admin:tenant'],
  ['sso', ['admin'], 'admin:tenant'],
  ['devices', ['admin', 'supervisor'], 'write:display', 'd'],
  ['displays', ['admin', 'supervisor'], 'write:display'],
  ['kiosks', ['admin', 'supervisor'], 'write:display'],
  ['templates', ['admin', 'supervisor'], 'write:queue', 'm'],
  ['notices', ['admin', 'supervisor'], 'write:queue'],
  ['reports', ['admin', 'supervisor'], 'read:analytics'],
  ['branding', ['admin'], 'admin:tenant', 'b'],
  ['organisation', ['admin'], 'admin:tenant', 'o'],
  ['privacy', ['admin'], 'admin:tenant'],
  ['imports', ['admin'], 'admin:tenant', 'i'],
  ['audit', ['admin'], 'admin:tenant', 't'],
]

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
