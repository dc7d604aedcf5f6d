import Type, { type Static } from 'typebox'
import { Default } from '../../kernel/resource.ts'
import { Closed, Enum, Id, Name, Nullable, Text } from '../../kernel/schema.ts'
import { QueueStatus } from '../queues/index.ts'
import { Names } from '../sites/index.ts'

/** `anchor`: a sign indoors whose printed code says where one stands and which way one looks. */
export const KINDS = ['branch', 'entrance', 'queue', 'counter', 'anchor', 'other'] as const
const Words = Closed({ fr: Type.Optional(Text(300)), en: Type.Optional(Text(300)), ar: Type.Optional(Text(300)) })

/** What a lens or an arrow shows of a marker. */
export const MarkerData = Closed({
  label: Type.Optional(Names),
  /** How to get there: "behind the stairs". */
  hint: Type.Optional(Words),
  icon: Type.Optional(
    Enum(['door', 'queue', 'counter', 'lift', 'stairs', 'toilets', 'information', 'accessible', 'pin']),
  ),
  colour: Type.Optional(Type.String({ pattern: '^#[0-9A-Fa-f]{6}$' })),
  /** Of the card above the place, for a camera. */
  height_metres: Type.Optional(Type.Number({ minimum: -50, maximum: 500 })),
  /** A picture of the place, from `/media/`. */
  media_id: Type.Optional(Id),
})

export const markerFields = {
  site_id: Id,
  queue_id: Default(Nullable(Id), null),
  name: Name,
  kind: Default(Enum(KINDS), 'other'),
  latitude: Type.Number({ minimum: -90, maximum: 90 }),
  longitude: Type.Number({ minimum: -180, maximum: 180 }),
  altitude_metres: Default(Nullable(Type.Number({ minimum: -500, maximum: 9000 })), null),
  floor: Default(Nullable(Type.Integer({ minimum: -20, maximum: 200 })), null),
  /** Where somebody looks who reads the sign, clockwise from north; an anchor has one. */
  heading_degrees: Default(Nullable(Type.Number({ minimum: 0, exclusiveMaximum: 360 })), null),
  /** What the printed code says; made when absent. */
  code: Type.Optional(Type.String({ pattern: '^[0-9A-Za-z]{4,32}$' })),
  marker_data: Default(MarkerData, {}),
  is_active: Default(Type.Boolean(), true),
}

/** A line as somebody who came now would find it. */
export const Live = Closed({
  status: QueueStatus,
  waiting: Type.Integer({ minimum: 0 }),
  eta_low_seconds: Nullable(Type.Integer()),
  eta_high_seconds: Nullable(Type.Integer()),
})
export type Live = Static<typeof Live>

/** From a place that was asked from; null where none was. */
export const fromThere = {
  distance_metres: Nullable(Type.Number({ minimum: 0 })),
  bearing_degrees: Nullable(Type.Integer({ minimum: 0, maximum: 359 })),
}
