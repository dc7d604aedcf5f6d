/** Those who would not be served today are offered a place on the next open day. */
import type { Operation } from '../../../kernel/operation.ts'
import { answerTomorrow, answerTomorrowFor } from './answer.ts'
import { offerTomorrow, tomorrowOffers } from './offer.ts'
import { sweepOffers } from './sweep.ts'
import { takeUpPlace, takeUpPlaceFor } from './take-up.ts'

export { jobs } from './sweep.ts'

export const tomorrowOperations: readonly Operation[] = [
  offerTomorrow,
  tomorrowOffers,
  answerTomorrow,
  answerTomorrowFor,
  takeUpPlace,
  takeUpPlaceFor,
  sweepOffers,
]
