import { h, type VNode } from 'preact'
import { createParts } from './create.ts'

export const { LineBadge, Icon, StateLabel, Code, TicketNumber, StaleBanner } = createParts<VNode>(h)
