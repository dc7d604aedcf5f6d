/** Whose requests are counted together. */
export type By = 'actor' | 'address' | 'tenant' | 'device'

/** At most `amount` in `windowSeconds`, and as many at once; what is used grows back evenly. */
export interface Policy {
  by: By
  amount: number
  windowSeconds: number
}

export interface LimitClass {
  policies: readonly Policy[]
  /** When the store cannot be asked: refuse, where guessing is the danger; else go on with this process's own count. */
  withoutStore: 'refuse' | 'own_count'
}

const minute = 60
/**
 * Everything that is limited, and how. The ceilings of an address are high because a whole branch, or sixty phones in
 * its waiting room, come from one.
 */
export const LIMITS = {
  requests: {
    policies: [
      { by: 'actor', amount: 1200, windowSeconds: minute },
      { by: 'address', amount: 12_000, windowSeconds: minute },
      { by: 'tenant', amount: 60_000, windowSeconds: minute },
    ],
    withoutStore: 'own_count',
  },
  /** The counters' own acts: nothing but a runaway program is stopped, and no lost store stops anybody. */
  calling: { policies: [{ by: 'actor', amount: 1200, windowSeconds: minute }], withoutStore: 'own_count' },
  /** What strangers may change in an organisation, such as taking a ticket. */
  public: {
    policies: [
      { by: 'device', amount: 6, windowSeconds: minute },
      { by: 'address', amount: 300, windowSeconds: 10 * minute },
      { by: 'tenant', amount: 6000, windowSeconds: minute },
    ],
    withoutStore: 'own_count',
  },
  /** Whatever opens a door. Accounts are counted apart (authentication/attempts.ts). */
  sign_in: { policies: [{ by: 'address', amount: 100, windowSeconds: minute }], withoutStore: 'refuse' },
  /** Typing codes: 6 characters, ten minutes. Twenty tries of each person leave a guesser one chance in seven million. */
  pairing: {
    policies: [
      { by: 'actor', amount: 20, windowSeconds: 10 * minute },
      { by: 'address', amount: 60, windowSeconds: 10 * minute },
    ],
    withoutStore: 'refuse',
  },
  /** Machines that wait to be adopted ask every three seconds. */
  polling: { policies: [{ by: 'address', amount: 1200, windowSeconds: minute }], withoutStore: 'own_count' },
} as const satisfies Record<string, LimitClass>
/**
 * Where an organisation asks for work only in a flood: so many from one network before it asks. Sixty phones that take a
 * ticket each, all at once, stay below, and so does a branch where twelve people come in a minute.
 */
export const BEFORE_CHALLENGE = { amount: 120, windowSeconds: 10 * minute }
export type LimitName = keyof typeof LIMITS
