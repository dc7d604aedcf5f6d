import { expect, test } from 'vitest'
import { queueStatus, type StatusFacts } from './queue-status.ts'

const open: StatusFacts = {
  is_active: true,
  is_open: true,
  seconds_to_close: 3600,
  max_capacity: 10,
  waiting_count: 3,
  eta_seconds: 600,
}
test.each<[string, Partial<StatusFacts>]>([
  ['open', {}],
  ['open', { max_capacity: null, waiting_count: 500 }],
  ['open', { eta_seconds: 3600 }],
  ['open', { eta_seconds: 3601, seconds_to_close: null }],
  ['open', { eta_seconds: null }],
  ['closing', { eta_seconds: 3601 }],
  ['full', { waiting_count: 10, eta_seconds: 9999 }],
  ['paused', { is_active: false, waiting_count: 10 }],
  ['closed', { is_open: false, is_active: false }],
])('a queue is %s when %o', (status, facts) => {
  expect(queueStatus({ ...open, ...facts })).toBe(status)
})
