/**
 * Pages by what they are about, in the order of the menu: name, roles and scope of what a page cannot do without; the letter after `G`.
 */
const GROUPS = {
  start: [['setup', ['admin'], 'admin:tenant', 'w']],
  place: [
    ['sites', ['admin'], 'write:site', 's'],
    ['services', ['admin'], 'write:site', 'e'],
    ['counters', ['admin'], 'write:site'],
    ['queues', ['admin', 'supervisor'], 'write:queue', 'q'],
    ['rules', ['admin', 'supervisor'], 'write:queue', 'r'],
    ['booking', ['admin', 'supervisor'], 'write:queue'],
  ],
  people: [
    ['agents', ['admin', 'supervisor'], 'write:agent'],
    ['profiles', ['admin', 'supervisor'], 'write:agent'],
    ['users', ['admin'], 'admin:tenant', 'u'],
    ['invitations', ['admin'], 'admin:tenant'],
    ['sso', ['admin'], 'admin:tenant'],
  ],
  machines: [
    ['devices', ['admin', 'supervisor'], 'write:display', 'd'],
    ['displays', ['admin', 'supervisor'], 'write:display'],
    ['playlists', ['admin', 'supervisor'], 'write:display'],
    ['voice', ['admin', 'supervisor'], 'write:display', 'v'],
    ['kiosks', ['admin', 'supervisor'], 'write:display'],
  ],
  messages: [
    ['templates', ['admin', 'supervisor'], 'write:queue', 'm'],
    ['notices', ['admin', 'supervisor'], 'write:queue'],
  ],
  organisation: [
    ['organisation', ['admin'], 'admin:tenant', 'o'],
    ['branding', ['admin'], 'admin:tenant', 'b'],
    ['reports', ['admin', 'supervisor'], 'read:analytics'],
    ['privacy', ['admin'], 'admin:tenant'],
    ['imports', ['admin'], 'admin:tenant', 'i'],
    ['audit', ['admin'], 'admin:tenant', 't'],
  ],
} as const
type Group = keyof typeof GROUPS
export type Row = (typeof GROUPS)[Group][number]

export const ROWS: readonly Row[] = Object.values(GROUPS).flat()
/** The group of a page. */
export const groupOf = (name: Row[0]): Group =>
  (Object.keys(GROUPS) as Group[]).find((group) => GROUPS[group].some(([each]) => each === name))!
