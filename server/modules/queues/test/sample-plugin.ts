import type { Algorithm } from '../algorithm.ts'

/** What an installation's own module looks like: whoever came to the house is served before whoever came by web. */
export const kiosk_first: Algorithm = ({ channel }) => ({ offset: channel === 'kiosk' ? 0 : 4 * 3600 * 1e6 })
