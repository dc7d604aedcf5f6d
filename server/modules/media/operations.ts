import Type from 'typebox'
import { MANAGERS, STAFF } from '../../kernel/access.ts'
import { notFound } from '../../kernel/errors.ts'
import { hashToken, newVisitorToken } from '../../kernel/ids.ts'
import { listPage, type OrderColumn } from '../../kernel/list.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Name, Page, PageInput, Time } from '../../kernel/schema.ts'
import { checkRoom } from '../tenants/index.ts'
import { Alt, COLUMNS, Media, shownMedia, StoredVariant, type StoredMedia } from './schema.ts'

export const REMOVE_FILES = 'media.remove_files'
const read = { scope: 'read:display', roles: [...STAFF, 'display'] } as const
const write = { scope: 'write:display', roles: MANAGERS } as const

const create = operation({
  ...write,
  id: 'media.create',
  kind: 'mutation',
  summary: 'Begin an upload',
  description:
    'Send the file itself by PUT to `upload_url`, once, within an hour: JPEG, PNG, WebP, AVIF or GIF of at most 15 MB and 24 million pixels, or MP4 or WebM of at most 100 MB. Pictures are made anew in several widths, without what the camera wrote. Refused with `media_full` when all that the organisation may keep is there.',
  http: { method: 'POST', path: '/media/', status: 201 },
  answersSecret: true,
  input: Closed({ kind: Enum(['image', 'video']), name: Name, alt: Type.Optional(Alt) }),
  output: Closed({ ...Media.properties, upload_url: Type.String(), upload_expires_at: Time }),
  example: { input: { kind: 'image', name: 'Plan d’accès', alt: { fr: 'Le guichet est au fond à gauche' } } },
  async run(ctx, { kind, name, alt = {} }) {
    await checkRoom(ctx.tx, 'media_megabytes', 1)
    const token = newVisitorToken(ctx.tenant.id)
    const { upload_expires_at, ...row } = await ctx.tx.one<StoredMedia & { upload_expires_at: string }>(
      `insert into media (kind, name, alt, upload_hash, upload_expires_at) values ($1, $2, $3, $4, now() + interval '1 hour')
       returning ${COLUMNS}, upload_expires_at`,
      [kind, name, JSON.stringify(alt), hashToken(token)],
    )
    const media = shownMedia(ctx, row)
    ctx.emit({ type: 'media.created', site_id: 0, data: { media: { id: media.id, kind } } })
    return { ...media, upload_url: ctx.url(`/media/upload/${token}`), upload_expires_at }
  },
})

/** What came of an upload. Only the program itself says so, when the files are in the storage. */
export const finish = operation({
  id: 'media.finish',
  kind: 'mutation',
  summary: 'Note that a file is there',
  scope: 'write:display',
  roles: ['system'],
  http: { method: 'POST', path: '/media/{id}/finish/' },
  input: Closed({ id: Id, variants: Type.Array(StoredVariant, { minItems: 1, maxItems: 8 }) }),
  output: Media,
  example: {
    input: {
      id: 1,
      variants: [{ name: 'w320', type: 'image/webp', width: 320, height: 200, size_bytes: 9000, key: '1/abc' }],
    },
  },
  async run(ctx, { id, variants }) {
    // One upload after the other is counted.
    await ctx.tx.query('select from tenants where id = $1 for no key update', [ctx.tenant.id])
    await checkRoom(
      ctx.tx,
      'media_megabytes',
      variants.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
    )
    const largest = variants.at(-1)!
    const row = await ctx.tx.one<StoredMedia>(
      `update media set status = 'ready', variants = $2, width = $3, height = $4, upload_hash = null, upload_expires_at = null,
         updated_at = now()
       where id = $1 and status = 'awaited' returning ${COLUMNS}`,
      [id, JSON.stringify(variants), largest.width, largest.height],
    )
    ctx.emit({ type: 'media.updated', site_id: 0, data: { media: { id, kind: row.kind } } })
    return shownMedia(ctx, row)
  },
})

const byId: OrderColumn[] = [{ column: 'id', expression: 'm.id', type: 'integer', descending: true }]
const list = operation({
  ...read,
  id: 'media.list',
  kind: 'query',
  summary: 'List pictures and films',
  http: { method: 'GET', path: '/media/' },
  input: Closed({ ...PageInput, kind: Type.Optional(Enum(['image', 'video'])) }),
  output: Page(Media),
  example: { input: { kind: 'image' } },
  async run(ctx, { kind, ...page }) {
    const { results, ...links } = await listPage<StoredMedia>(
      ctx.tx,
      `select ${COLUMNS} from media m`,
      { '-id': byId },
      { ordering: '-id', ...page },
      kind === undefined ? [] : [{ text: 'm.kind = $1', values: [kind] }],
    )
    return { results: results.map((row) => shownMedia(ctx, row)), ...links }
  },
})

async function stored(ctx: Context, id: number): Promise<StoredMedia> {
  const row = await ctx.tx.maybe<StoredMedia>(`select ${COLUMNS} from media where id = $1`, [id])
  if (!row) throw notFound()
  return row
}

const get = operation({
  ...read,
  id: 'media.get',
  kind: 'query',
  summary: 'Get a picture or film',
  http: { method: 'GET', path: '/media/{id}/' },
  input: Closed({ id: Id }),
  output: Media,
  example: { input: { id: 1 } },
  run: async (ctx, { id }) => shownMedia(ctx, await stored(ctx, id)),
})

const update = operation({
  ...write,
  id: 'media.update',
  kind: 'mutation',
  summary: 'Rename a picture or film, or say what is seen',
  http: { method: 'PATCH', path: '/media/{id}/' },
  input: Closed({ id: Id, name: Type.Optional(Name), alt: Type.Optional(Alt) }),
  output: Media,
  example: { input: { id: 1, alt: { en: 'The desk is at the back on the left' } } },
  async run(ctx, { id, name, alt }) {
    const before = await stored(ctx, id)
    const row = await ctx.tx.one<StoredMedia>(
      `update media set name = $2, alt = $3, updated_at = now() where id = $1 returning ${COLUMNS}`,
      [id, name ?? before.name, JSON.stringify(alt ?? before.alt)],
    )
    ctx.record({ before: { name: before.name, alt: before.alt }, after: { name: row.name, alt: row.alt } })
    ctx.emit({ type: 'media.updated', site_id: 0, data: { media: { id, kind: row.kind } } })
    return shownMedia(ctx, row)
  },
})

const remove = operation({
  ...write,
  id: 'media.delete',
  kind: 'mutation',
  summary: 'Delete a picture or film',
  http: { method: 'DELETE', path: '/media/{id}/', status: 204 },
  input: Closed({ id: Id }),
  output: Type.Null(),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const { kind, variants } = await stored(ctx, id)
    await ctx.tx.query('delete from media where id = $1', [id])
    await ctx.tx.query('update tenants set logo_media_id = null where logo_media_id = $1', [id])
    if (variants.length > 0) await ctx.enqueue(REMOVE_FILES, { keys: variants.map(({ key }) => key) })
    ctx.emit({ type: 'media.deleted', site_id: 0, data: { media: { id, kind } } })
    return null
  },
})

export const operations: readonly Operation[] = [create, list, get, update, remove, finish]
