/** Name, roles and scope of what a page cannot do without. */
export const ROWS = [
  ['start', ['admin'], 'admin:tenant'],
  ['keys', ['admin'], 'admin:tenant'],
  ['webhooks', ['admin'], 'admin:tenant'],
  ['events', ['admin', 'supervisor'], 'read:ticket'],
  ['widget', ['admin'], 'admin:tenant'],
] as const
