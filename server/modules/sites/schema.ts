import Type from 'typebox'
import { Default } from '../../kernel/resource.ts'
import { Closed, Enum, Id, Name, Nullable, Slug, Text } from '../../kernel/schema.ts'
import { Timezone } from '../../kernel/timezone.ts'
import { NullableOpeningHours } from './opening-hours.ts'

/** Forms of a line's badge, in the order of its letters: A square, B circle … */
export const SHAPES = ['square', 'circle', 'diamond', 'hexagon', 'triangle', 'pill', 'pentagon', 'ring'] as const
/** Colours of lines A to H; white text on each has a contrast of at least 6 : 1. */
export const LINE_COLOURS = [
  '#0A4DA3',
  '#0B6B3A',
  '#B33A00',
  '#6A2C91',
  '#006570',
  '#A31555',
  '#6B4A1B',
  '#3B4754',
] as const

/** A name in the languages people read; what is missing falls back to `name`. */
export const Names = Closed({ fr: Type.Optional(Name), en: Type.Optional(Name), ar: Type.Optional(Name) })

export const siteFields = {
  name: Name,
  /** Made from the name when absent. */
  slug: Type.Optional(Slug),
  address: Default(Text(500), ''),
  latitude: Default(Nullable(Type.Number({ minimum: -90, maximum: 90 })), null),
  longitude: Default(Nullable(Type.Number({ minimum: -180, maximum: 180 })), null),
  /** Strangers take a number only this near to the site; anywhere when null. Needs the site's place on the map. */
  presence_radius_metres: Default(Nullable(Type.Integer({ minimum: 50, maximum: 50_000 })), null),
  /** The tenant's when absent. */
  timezone: Type.Optional(Timezone),
  opening_hours: Default(NullableOpeningHours, null),
  is_active: Default(Type.Boolean(), true),
}

export const serviceFields = {
  name: Name,
  names: Default(Names, {}),
  /** Line of the service, one to three characters; the first free letter when absent. */
  code: Type.Optional(Type.String({ pattern: '^[A-Z0-9]{1,3}$' })),
  /** Follow the code when absent. */
  colour: Type.Optional(Type.String({ pattern: '^#[0-9A-Fa-f]{6}$' })),
  shape: Type.Optional(Enum(SHAPES)),
  expected_duration_seconds: Default(Type.Integer({ minimum: 1, maximum: 86_400 }), 300),
  required_fields: Default(Type.Array(Type.String({ pattern: '^[a-z][a-z0-9_]{0,39}$' }), { maxItems: 20 }), []),
  is_active: Default(Type.Boolean(), true),
}

export const counterFields = {
  site_id: Id,
  name: Name,
  /** How to find it: "first floor, left". */
  hint: Default(Text(200), ''),
  is_active: Default(Type.Boolean(), true),
}
