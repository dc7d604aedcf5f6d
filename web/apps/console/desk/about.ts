import type { Ticket } from '../../../../shared/board.ts'
import { REPLIES } from '../../../../shared/visit.ts'
import { t, type MessageKey } from '../../../ui/messages.ts'

/** What phones offer to say; anything else is the organisation's own word. */
const KNOWN = new Set(['hearing', 'sight', 'standing'])

/** Needs of a person in the reader's language: `entend mal, LSF`. */
export const needsOf = ({ needs }: Pick<Ticket, 'needs'>): string =>
  needs.map((need) => (KNOWN.has(need) ? t(`console.need_${need}` as MessageKey) : need)).join(', ')

const isReply = (label: string) => (REPLIES as readonly string[]).includes(label)
/** Labels that staff gave. */
export const ownLabels = ({ labels }: Pick<Ticket, 'labels'>): string[] => labels.filter((label) => !isReply(label))
/** What the person answered to the call, in the reader's language; nothing when there is no answer. */
export function replyOf({ labels }: Pick<Ticket, 'labels'>): { label: string; text: string } | null {
  const label = labels.findLast(isReply)
  return label === undefined ? null : { label, text: t(`ui.reply.${label as (typeof REPLIES)[number]}`) }
}
