/** What a column says of a person. `reference`: a number that leads to them as long as they are known. */
export const CLASSES = [
  'identity',
  'contact',
  'free_text',
  'preference',
  'consent',
  'reference',
  'device',
  'secret',
] as const
type PersonalClass = (typeof CLASSES)[number]

/** One table of the database: each of its columns is either personal, of a class, or of nobody. */
export interface Registered {
  /** Whose data it is. */
  about: 'visitor' | 'staff' | 'both' | 'nobody'
  /** How long it is kept. */
  kept?: string
  personal?: Readonly<Record<string, PersonalClass>>
  /** Names of the columns that say nothing of a person, parted by spaces. */
  none: string
}
