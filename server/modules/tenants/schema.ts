import Type, { type Static } from 'typebox'
import { Closed, Enum, Id, Locale, Name, Nullable, Slug, Time } from '../../kernel/schema.ts'
import { Timezone } from '../../kernel/timezone.ts'

/** An organisation: everything else belongs to one. */
export const TenantEntity = Closed({
  id: Id,
  slug: Slug,
  name: Name,
  plan: Type.String(),
  locale: Locale,
  timezone: Timezone,
  data_retention_days: Type.Integer({ minimum: 1, maximum: 36_500 }),
  /** Messages are forgotten after so many days; null, and at the latest, with the rest. */
  message_retention_days: Nullable(Type.Integer({ minimum: 1, maximum: 36_500 })),
  is_active: Type.Boolean(),
  take_challenge: Enum(['never', 'automatic', 'always'], {
    description:
      'Whether strangers solve a challenge to take a ticket; `automatic`: when more come from one network than a waiting room sends',
  }),
  /** Of what visitors press. Text of it and on it has a contrast of 4.5 : 1 at least. */
  brand_colour: Nullable(Type.String({ pattern: '^#[0-9A-F]{6}$' })),
  /** The picture that stands for the organisation on its screens. */
  logo_media_id: Nullable(Id),
  languages: Type.Array(Locale, { description: 'In which visitors are served; `languages.publish` changes it' }),
  is_sandbox: Type.Boolean({ description: 'Made to try things in: test keys may change it' }),
  created_at: Time,
  updated_at: Time,
})
export type TenantEntity = Static<typeof TenantEntity>
export const TENANT_COLUMNS = Object.keys(TenantEntity.properties).join(', ')
