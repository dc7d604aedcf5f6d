/** Name, roles and scope of what a page cannot do without. */
export const ROWS = [
  ['start', ['admin'], 'admin:tenant'],
  ['keys', ['admin'], 'admin:tenant'],
  ['webhooks', ['admin'], 'admin:tenant'],
  ['events', ['admin', 'supervisor'], 'read:ticket'],
  ['requests', ['admin'], 'admin:tenant'],
  ['sandbox', ['admin'], 'admin:tenant'],
  ['widget', ['admin'], 'admin:tenant'],
] as const
