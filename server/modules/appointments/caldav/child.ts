/** Reads what calendars answer, for `reader.ts`, which ends this process when it takes too long. */
import { answerApart } from '../../../kernel/apart.ts'
import { readEvent } from './ics.ts'
import type { Question } from './reader.ts'
import { readMultistatus } from './xml.ts'

answerApart((question: Question) =>
  question.kind === 'event' ? readEvent(...question.asked) : readMultistatus(...question.asked),
)
