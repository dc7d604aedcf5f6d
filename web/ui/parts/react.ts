import { createElement, type ReactElement } from 'react'
import { createParts } from './create.ts'

export const { LineBadge, Icon, StateLabel, Code, TicketNumber, StaleBanner } = createParts<ReactElement>(createElement)
