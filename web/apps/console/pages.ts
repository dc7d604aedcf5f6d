import { ADMIN_PAGES } from './admin/area.ts'
import { DEVELOPER_PAGES } from './developer/area.ts'
import { PLATFORM_PAGES } from './platform/area.ts'
import type { Area, Page } from './shell/shell.ts'

const DESK: Area = { title: 'console.page_desk', icon: 'bell' }
const FLOOR: Area = {
  title: 'console.page_floor',
  icon: 'grid',
  texts: {
    fr: () => import('messages:fr:floor'),
    en: () => import('messages:en:floor'),
    ar: () => import('messages:ar:floor'),
  },
}
const FIND: Area = {
  title: 'console.page_find',
  icon: 'search',
  texts: {
    fr: () => Promise.all([import('messages:fr:find'), import('messages:fr:appointment_status')]),
    en: () => Promise.all([import('messages:en:find'), import('messages:en:appointment_status')]),
    ar: () => Promise.all([import('messages:ar:find'), import('messages:ar:appointment_status')]),
  },
}
const ANALYTICS: Area = {
  title: 'console.page_analytics',
  icon: 'chart',
  texts: {
    fr: () => import('messages:fr:analytics'),
    en: () => import('messages:en:analytics'),
    ar: () => import('messages:ar:analytics'),
  },
}

/**
 * Every page of the console, in the order of the menu. A page's roles and scopes are those of the operations it cannot do
 * without; pages of one area stand together and share its object.
 */
export const PAGES: readonly Page[] = [
  {
    id: 'desk',
    area: DESK,
    path: 'agent',
    title: 'console.page_desk',
    key: 'c',
    roles: ['agent', 'supervisor', 'admin'],
    scopes: ['call:ticket'],
    needsDesk: true,
    load: () => import('./desk/page.tsx'),
  },
  {
    id: 'floor',
    area: FLOOR,
    path: 'floor',
    title: 'console.page_floor',
    key: 'f',
    roles: ['supervisor', 'admin'],
    scopes: ['read:queue', 'read:analytics'],
    load: () => import('./floor/page.tsx'),
  },
  {
    id: 'find',
    area: FIND,
    path: 'find',
    title: 'console.page_find',
    key: 'n',
    roles: ['supervisor', 'admin'],
    scopes: ['read:ticket', 'read:queue'],
    load: () => import('./find/page.tsx'),
  },
  {
    id: 'analytics',
    area: ANALYTICS,
    path: 'analytics',
    title: 'console.page_analytics',
    key: 'a',
    roles: ['supervisor', 'admin'],
    scopes: ['read:analytics'],
    load: () => import('./analytics/page.tsx'),
  },
  ...ADMIN_PAGES,
  ...DEVELOPER_PAGES,
  ...PLATFORM_PAGES,
]
