/** Name, roles and scope of what a page cannot do without. */
export const ROWS = [
  ['tenants', ['operator'], 'admin:tenant'],
  ['health', ['operator'], 'admin:tenant'],
  ['jobs', ['operator'], 'admin:tenant'],
  ['switches', ['operator'], 'admin:tenant'],
  ['notices', ['operator'], 'admin:tenant'],
  ['backups', ['operator'], 'admin:tenant'],
] as const
