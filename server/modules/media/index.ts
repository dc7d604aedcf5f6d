/** Media: pictures and films of an organisation, and where their files are. */
import type { Job } from '../../kernel/jobs/index.ts'
import { REMOVE_FILES } from './operations.ts'
import { storage } from './storage.ts'

export { Brand, brandOf } from './brand.ts'
export { mediaFile, type MediaAddress } from './file.ts'
export { useMediaKeys } from './links.ts'
export { operations } from './operations.ts'
export { Alt as MediaAlt, COLUMNS as MEDIA_COLUMNS, shownMedia, type StoredMedia } from './schema.ts'
export { storage, useStorage } from './storage.ts'
export { MOST_UPLOAD_BYTES, takeUpload, type Uploads } from './upload.ts'

export const jobs: readonly Job[] = [
  {
    name: REMOVE_FILES,
    async run(_, { keys }) {
      for (const key of keys as string[]) await storage().remove(key)
    },
  },
  {
    name: 'media.forget_awaited',
    nightly: '04:10',
    async run({ runtime: { db } }, { tenant_id }) {
      await db.tenant(Number(tenant_id), (tx) =>
        tx.query(`delete from media where status = 'awaited' and upload_expires_at < now()`),
      )
    },
  },
]
