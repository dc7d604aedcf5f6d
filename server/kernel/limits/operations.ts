import { ROLES } from '../access.ts'
import { operation, type Operation } from '../operation.ts'
import { Closed } from '../schema.ts'
import { Challenge, newChallenge } from './challenge.ts'

const challenge = operation({
  id: 'tickets.challenge',
  kind: 'query',
  summary: 'Get a challenge that a ticket may cost',
  description:
    'When very many tickets are asked for from one network, taking one without signing in is answered with `challenge_required` and a challenge. Find the `number` from 0 to `maxnumber` for which the SHA-256 of `salt` followed by the number, in hexadecimal, is `challenge`; repeat the request with the header `Challenge-Solution`: base64 of the JSON {algorithm, challenge, number, salt, signature}. A challenge is good once, for five minutes, in one organisation. ALTCHA’s clients solve it.',
  scope: null,
  roles: ROLES,
  http: { method: 'GET', path: '/tickets/challenge/', base: 'public' },
  input: Closed({}),
  output: Challenge,
  example: { input: {} },
  run: ({ tenant }) => newChallenge(tenant.id),
})

export const operations: readonly Operation[] = [challenge]
