import Type from 'typebox'
import { Default } from '../../kernel/resource.ts'
import { Closed, Enum, Id, Locale, Name, Nullable, Text } from '../../kernel/schema.ts'

export const Minute = Type.String({ pattern: '^(?:[01]\\d|2[0-3]):[0-5]\\d$' })

const Percent = Type.Integer({ minimum: 0, maximum: 100 })

/** How a screen shows and speaks; what is missing takes the screen's own default. */
export const DisplaySettings = Closed({
  layout: Type.Optional(Enum(['calls', 'calls_and_waiting', 'single_call'])),
  theme: Type.Optional(Enum(['light', 'dark', 'wall'])),
  /** Languages of the board and the voice, in the order they are spoken. */
  languages: Type.Optional(Type.Array(Locale, { minItems: 1, maxItems: 3, uniqueItems: true })),
  chime: Type.Optional(Type.Boolean()),
  voice: Type.Optional(Type.Boolean()),
  volume_percent: Type.Optional(Percent),
  /** Parts of the site’s day with a volume of their own, the first that holds; each may pass midnight. */
  volume_hours: Type.Optional(
    Type.Array(Closed({ from: Minute, until: Minute, volume_percent: Percent }), { maxItems: 6 }),
  ),
  max_calls: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
  show_wait: Type.Optional(Type.Boolean()),
  /** Part of the site's day without voice and chime; may pass midnight. */
  quiet_hours: Type.Optional(Closed({ from: Minute, until: Minute })),
  /** A line of the house's own, per language. */
  message: Type.Optional(
    Closed({ fr: Type.Optional(Text(200)), en: Type.Optional(Text(200)), ar: Type.Optional(Text(200)) }),
  ),
})

export const displayFields = {
  site_id: Id,
  name: Name,
  /** Queues it shows; all of the site when empty. */
  queue_ids: Default(Type.Array(Id, { maxItems: 200, uniqueItems: true }), []),
  settings: Default(DisplaySettings, {}),
  /** Pictures and films while nobody is called. */
  playlist_id: Default(Nullable(Id), null),
  is_active: Default(Type.Boolean(), true),
}
