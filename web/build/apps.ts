import type { FontSet } from './fonts.ts'

export const LOCALES = ['fr', 'en', 'ar'] as const

/** Brotli bytes that reach a browser before the first screen can be used. */
export interface Budget {
  js: number
  css: number
  /** Fonts of a page in French or English, and of one in Arabic. */
  fonts: { latin: number; arabic: number }
}
export interface App {
  framework: 'preact' | 'react'
  /** Oldest browsers, as Vite names them. */
  target: string[]
  /** Catalogues of shared/locales/screens, and prefixes of the common one, that its texts come from. */
  messages: string[]
  fonts: FontSet
  budget: Budget
  /** Has a `server.tsx` that the server renders its pages with. */
  isRendered?: true
  /** Has a `worker.ts`. */
  worker?: true
  /** One classic script with everything in it, styles and texts too, for pages of others. */
  isEmbedded?: true
  /** Pages that are loaded when they are opened, with styles of their own. Budgets of each, in brotli bytes of JavaScript. */
  pages?: { budget: number; named: Record<string, number> }
  /** Left out of what production serves. */
  isDevelopment?: true
}

const KB = 1000
/** Televisions: LG's of 2021 run Chromium 79. */
const OLD = ['chrome79', 'safari13', 'es2019']
const MODERN = ['chrome111', 'safari16.4', 'firefox115']
const STATES = ['ticket_status', 'agent_status', 'queue_status', 'channel', 'role']

/** Every application of the browser; a folder of web/apps each. Budgets are those of the design and fail the build. */
export const APPS: Record<string, App> = {
  visitor: {
    framework: 'preact',
    target: OLD,
    messages: ['ui', 'visitor', 'ticket_status'],
    fonts: 'public',
    budget: { js: 20 * KB, css: 8 * KB, fonts: { latin: 14 * KB, arabic: 37 * KB } },
    isRendered: true,
    worker: true,
  },
  booking: {
    framework: 'preact',
    target: OLD,
    messages: ['ui', 'booking'],
    fonts: 'public',
    budget: { js: 20 * KB, css: 8 * KB, fonts: { latin: 14 * KB, arabic: 37 * KB } },
    isRendered: true,
  },
  nearby: {
    framework: 'preact',
    target: OLD,
    messages: ['ui', 'nearby'],
    fonts: 'public',
    budget: { js: 20 * KB, css: 8 * KB, fonts: { latin: 14 * KB, arabic: 37 * KB } },
    isRendered: true,
  },
  kiosk: {
    framework: 'preact',
    target: MODERN,
    messages: ['ui', 'kiosk'],
    fonts: 'staff',
    budget: { js: 45 * KB, css: 12 * KB, fonts: { latin: 60 * KB, arabic: 60 * KB } },
    worker: true,
  },
  display: {
    framework: 'preact',
    target: OLD,
    messages: ['ui', 'display', ...STATES],
    fonts: 'staff',
    budget: { js: 25 * KB, css: 8 * KB, fonts: { latin: 60 * KB, arabic: 60 * KB } },
  },
  console: {
    framework: 'react',
    target: MODERN,
    messages: ['ui', 'console', 'agent_status_reason', ...STATES],
    fonts: 'staff',
    budget: { js: 200 * KB, css: 25 * KB, fonts: { latin: 60 * KB, arabic: 60 * KB } },
    pages: { budget: 60 * KB, named: { charts: 30 * KB } },
  },
  widget: {
    framework: 'preact',
    target: MODERN,
    messages: ['widget', 'ticket_status'],
    fonts: 'public',
    budget: { js: 8 * KB, css: 0, fonts: { latin: 0, arabic: 0 } },
    isEmbedded: true,
  },
  kit: {
    framework: 'preact',
    target: MODERN,
    messages: ['ui', 'visitor', 'display', 'console', ...STATES],
    fonts: 'staff',
    budget: { js: 60 * KB, css: 25 * KB, fonts: { latin: 60 * KB, arabic: 60 * KB } },
    isDevelopment: true,
  },
}
