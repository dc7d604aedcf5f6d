import type { FastifyInstance } from 'fastify'
import { html } from './html.ts'

const ICON = '/icon.svg'
const shared = {
  background_color: '#fbfaf7',
  theme_color: '#fbfaf7',
  icons: [
    { src: ICON, sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
    { src: ICON, sizes: 'any', type: 'image/svg+xml', purpose: 'maskable' },
  ],
}
/** A machine fills its screen with one page; a ticket keeps the address it was installed from. */
const MANIFESTS = {
  '/kiosk.webmanifest': {
    ...shared,
    id: '/kiosk',
    name: 'SmartQueue',
    short_name: 'SmartQueue',
    start_url: '/kiosk',
    scope: '/kiosk',
    display: 'fullscreen',
    orientation: 'portrait',
  },
  '/t/ticket.webmanifest': {
    ...shared,
    name: 'SmartQueue',
    short_name: 'SmartQueue',
    scope: '/t/',
    display: 'standalone',
  },
} as const

export const manifestLink = (address: keyof typeof MANIFESTS) => html`<link rel="manifest" href="${address}" />`

/** What browsers need to put a page on the home screen, where it may also be notified (on iPhones only there). */
export function manifests(app: FastifyInstance): void {
  for (const [address, manifest] of Object.entries(MANIFESTS))
    app.get(address, (_request, reply) =>
      reply
        .header('cache-control', 'public, max-age=3600')
        .type('application/manifest+json')
        .send(JSON.stringify(manifest)),
    )
  app.get(ICON, (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=86400')
      .type('image/svg+xml')
      .send(
        html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">
          <rect width="512" height="512" fill="#0a4da3" />
          <rect x="136" y="136" width="240" height="240" rx="40" fill="#fff" />
          <path d="M256 180l84 160h-52l-32-66-32 66h-52z" fill="#0a4da3" />
        </svg>`.markup,
      ),
  )
}
