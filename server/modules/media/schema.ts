import Type, { type Static } from 'typebox'
import type { Context } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Name, Nullable, Text, Time } from '../../kernel/schema.ts'
import { mediaPath } from './links.ts'

export const Alt = Closed({ fr: Type.Optional(Text(500)), en: Type.Optional(Text(500)), ar: Type.Optional(Text(500)) })
const Size = Nullable(Type.Integer({ minimum: 1 }))
export const StoredVariant = Closed({
  /** `w960`, or `original` of a film. */
  name: Text(20),
  type: Text(50),
  width: Size,
  height: Size,
  size_bytes: Type.Integer({ minimum: 1 }),
  key: Text(100),
})
const { key: _key, ...shown } = StoredVariant.properties
export const Media = Closed({
  id: Id,
  kind: Enum(['image', 'video']),
  name: Name,
  /** What is seen, for those who do not see it. */
  alt: Alt,
  /** `awaited`: nothing was uploaded yet. */
  status: Enum(['awaited', 'ready']),
  width: Size,
  height: Size,
  /** Smallest first. The address serves for a day, for whoever has it. */
  variants: Type.Array(Closed({ ...shown, url: Type.String() })),
  created_at: Time,
  updated_at: Time,
})
export type Media = Static<typeof Media>
export type StoredMedia = Omit<Media, 'variants'> & { variants: Static<typeof StoredVariant>[] }
export const COLUMNS = 'id, kind, name, alt, status, width, height, variants, created_at, updated_at'

/** As it is shown: with addresses instead of names in the storage. */
export const shownMedia = (ctx: Pick<Context, 'tenant' | 'url'>, { variants, ...media }: StoredMedia): Media => ({
  ...media,
  variants: variants.map(({ key, ...variant }) => ({
    ...variant,
    url: ctx.url(mediaPath({ tenantId: ctx.tenant.id, id: media.id, variant: variant.name })),
  })),
})
