import Type from 'typebox'
import { MANAGERS, STAFF } from '../../kernel/access.ts'
import type { Operation } from '../../kernel/operation.ts'
import { resource } from '../../kernel/resource.ts'
import { Id } from '../../kernel/schema.ts'
import { alertOperations, NullableAlert } from './alert.ts'
import { checkQueues, kiosks } from './kiosks.ts'
import { linkOperations } from './link.ts'
import { displayFields } from './schema.ts'
import { playlists } from './playlists.ts'
import { pinOperations } from './staff-pin.ts'
import { screen } from './screen.ts'
import { announcement } from './voice/announcement.ts'
import { clipOperations } from './voice/clips.ts'
import { prompt } from './voice/prompt.ts'

export { edges } from './graphql.ts'

export const displays = resource({
  noun: 'displays',
  singular: 'display',
  table: 'displays',
  fields: displayFields,
  fixed: ['site_id'],
  readOnly: { alert: NullableAlert },
  scopes: { read: 'read:display', write: 'write:display' },
  roles: { read: [...STAFF, 'display'], write: MANAGERS },
  filters: {
    site: { schema: Id, where: 'site_id = $1' },
    is_active: { schema: Type.Boolean(), where: 'is_active = $1' },
  },
  search: ['name'],
  orderings: ['name', 'created_at'],
  example: { site_id: 1, name: 'Salle d’attente', settings: { languages: ['fr', 'ar'], voice: true } },
  siteOf: (display) => display.site_id,
  async prepare(ctx, display) {
    await checkQueues(ctx, display)
    return display
  },
})

export { voiceFile } from './voice/announcement.ts'
export { useVoice } from './voice/render.ts'
export { displayAccess, displayLink, openDisplay } from './link.ts'

export const operations: readonly Operation[] = [
  ...displays.operations,
  screen,
  announcement,
  ...clipOperations,
  ...alertOperations,
  ...linkOperations,
  ...kiosks.operations,
  ...pinOperations,
  prompt,
  ...playlists.operations,
]
