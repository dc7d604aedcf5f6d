import type { Edge } from '../../kernel/edge.ts'

export const edges: readonly Edge[] = [
  { types: ['Display', 'Kiosk', 'Device'], field: 'site', summary: 'Where it stands', to: 'sites.get', key: 'site_id' },
]
