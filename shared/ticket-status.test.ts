import { expect, test } from 'vitest'
import {
  AGENT_STATUSES,
  FINAL_STATUSES,
  isFinal,
  isLive,
  isOpenAgent,
  LIVE_STATUSES,
  parseTicketStatus,
  TICKET_STATUSES,
  TicketStatus,
  ticketStatusName,
} from './ticket-status.ts'

test('stored states are composed Unicode, as PostgreSQL compares them byte by byte', () => {
  for (const status of TICKET_STATUSES) expect(status).toBe(status.normalize('NFC'))
  expect(TicketStatus.called).toBe('appel\u00e9')
})

test.each(Object.entries(TicketStatus))('%s is found in every spelling', (name, status) => {
  const unaccented = status.normalize('NFD').replace(/\p{M}/gu, '')
  for (const text of [status, status.normalize('NFD'), unaccented, name, ` ${name} `]) {
    expect(parseTicketStatus(text)).toBe(status)
    expect(parseTicketStatus(text.toUpperCase())).toBe(status)
  }
  expect(ticketStatusName(status)).toBe(name)
})

test('what names no state is refused', () => {
  for (const text of ['', 'open', 'en attente', 'constructor', '__proto__']) {
    expect(parseTicketStatus(text)).toBeUndefined()
  }
})

test('every state is either live or final', () => {
  expect([...LIVE_STATUSES, ...FINAL_STATUSES].sort()).toEqual([...TICKET_STATUSES].sort())
  for (const status of TICKET_STATUSES) expect(isLive(status)).toBe(!isFinal(status))
})

test('agents on a break or away do not count as serving', () => {
  expect(AGENT_STATUSES.filter(isOpenAgent)).toEqual(['available', 'calling', 'serving', 'wrap_up'])
})
