import Type, { type Static } from 'typebox'
import type { Context } from '../../kernel/operation.ts'
import { Closed, Nullable } from '../../kernel/schema.ts'
import { Alt, COLUMNS, shownMedia, type StoredMedia } from './schema.ts'

/** Of what stands in the corner of a screen, no more is seen. */
const WIDEST = 640

/** How an organisation looks on its screens. */
export const Brand = Closed({
  /** Of what people press; null takes the program's own. */
  colour: Nullable(Type.String()),
  logo: Nullable(
    Closed({
      /** Serves for a day: ask again before. */
      url: Type.String(),
      alt: Alt,
      width: Nullable(Type.Integer()),
      height: Nullable(Type.Integer()),
    }),
  ),
})
export type Brand = Static<typeof Brand>

/** The organisation's colour and picture as they are now. */
export async function brandOf(ctx: Context): Promise<Brand> {
  const { brand_colour: colour, logo_media_id } = await ctx.tx.one<{
    brand_colour: string | null
    logo_media_id: number | null
  }>('select brand_colour, logo_media_id from tenants where id = $1', [ctx.tenant.id])
  if (logo_media_id === null) return { colour, logo: null }
  const row = await ctx.tx.maybe<StoredMedia>(`select ${COLUMNS} from media where id = $1 and status = 'ready'`, [
    logo_media_id,
  ])
  if (!row) return { colour, logo: null }
  const { variants, alt } = shownMedia(ctx, row)
  // Smallest first: the first that is wide enough, or the largest there is.
  const variant = variants.find(({ width }) => (width ?? 0) >= WIDEST) ?? variants.at(-1)
  return { colour, logo: variant ? { url: variant.url, alt, width: variant.width, height: variant.height } : null }
}
