import Type, { type Static } from 'typebox'
import { MANAGERS, STAFF } from '../../kernel/access.ts'
import { invalid } from '../../kernel/errors.ts'
import type { Context } from '../../kernel/operation.ts'
import { Default, resource } from '../../kernel/resource.ts'
import { Closed, Enum, Id, Name, Nullable } from '../../kernel/schema.ts'
import { MEDIA_COLUMNS, MediaAlt, shownMedia, type StoredMedia } from '../media/index.ts'
import { Minute } from './schema.ts'

const Weekday = Type.Integer({ minimum: 1, maximum: 7 })
/** When an item is shown, in the site's own time; always when absent. */
const hours = {
  /** ISO: 1 is Monday. */
  weekdays: Type.Optional(Type.Array(Weekday, { minItems: 1, maxItems: 7, uniqueItems: true })),
  /** May pass midnight. */
  from: Type.Optional(Minute),
  until: Type.Optional(Minute),
}
const PlaylistItem = Closed({
  media_id: Id,
  /** A film is shown for so long too, from its beginning. */
  seconds: Type.Integer({ minimum: 3, maximum: 3600 }),
  ...hours,
})
const Items = Closed({ list: Type.Array(PlaylistItem, { maxItems: 100 }) })

export const playlists = resource({
  noun: 'playlists',
  singular: 'playlist',
  table: 'playlists',
  fields: {
    name: Name,
    /** In the order they are shown. */
    items: Default(Items, { list: [] }),
    is_active: Default(Type.Boolean(), true),
  },
  scopes: { read: 'read:display', write: 'write:display' },
  roles: { read: [...STAFF, 'display'], write: MANAGERS },
  filters: { is_active: { schema: Type.Boolean(), where: 'is_active = $1' } },
  search: ['name'],
  orderings: ['name', 'created_at'],
  example: { name: 'Salle d’attente', items: { list: [] } },
  async prepare(ctx, playlist) {
    const { list } = playlist.items
    const known = await ctx.tx.query<{ id: number }>('select id from media where id = any($1)', [
      list.map(({ media_id }) => media_id),
    ])
    const ids = new Set(known.map(({ id }) => id))
    for (const [i, { media_id, from, until }] of list.entries()) {
      if (!ids.has(media_id)) throw invalid(`/items/list/${i}/media_id`, 'not_found')
      if ((from === undefined) !== (until === undefined))
        throw invalid(`/items/list/${i}/${from === undefined ? 'from' : 'until'}`, 'required')
    }
    return playlist
  },
})

/** One of what a wall shows, with the address of its file. */
export const ScreenMedia = Closed({
  media_id: Id,
  kind: Enum(['image', 'video']),
  type: Type.String(),
  /** Serves for a day: ask again before. */
  url: Type.String(),
  alt: MediaAlt,
  width: Nullable(Type.Integer()),
  height: Nullable(Type.Integer()),
  seconds: Type.Integer(),
  ...hours,
})
/** No zone of a wall is wider than this many pixels. */
const WIDEST = 1920

/** What a display's playlist shows, in order; what was not uploaded yet is left out. */
export async function screenMedia(ctx: Context, playlistId: number | null): Promise<Static<typeof ScreenMedia>[]> {
  if (playlistId === null) return []
  const playlist = await ctx.tx.maybe<{ items: Static<typeof Items> }>(
    'select items from playlists where id = $1 and is_active',
    [playlistId],
  )
  const list = playlist?.items.list ?? []
  const rows = await ctx.tx.query<StoredMedia>(
    `select ${MEDIA_COLUMNS} from media where id = any($1) and status = 'ready'`,
    [list.map(({ media_id }) => media_id)],
  )
  const byId = new Map(rows.map((row) => [row.id, shownMedia(ctx, row)]))
  return list.flatMap(({ media_id, ...when }) => {
    const media = byId.get(media_id)
    const variants = media?.variants ?? []
    // Smallest first: the largest that is not larger than a wall shows.
    const variant = variants.findLast(({ width }) => (width ?? 0) <= WIDEST) ?? variants[0]
    if (!media || !variant) return []
    const { type, url, width, height } = variant
    return [{ media_id, kind: media.kind, type, url, alt: media.alt, width, height, ...when }]
  })
}
