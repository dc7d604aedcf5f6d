import { expect, test } from 'vitest'
import { CATALOGUE } from '../server/modules/webhooks/index.ts'
import { unlistedEvents } from './event-types.ts'

test('every type of event that the code writes is in the catalogue, and none besides', () => {
  expect(unlistedEvents()).toEqual([])
  // Controls: a new type, a new noun, a type that is put together, one that nobody writes.
  const text = "emit({ type: 'tea.served' }) ({ singular: 'kettle' }) emit({ type: `cup.${verb}` })"
  const faults = unlistedEvents(text, { ...CATALOGUE, 'tea.cold': {} })
  for (const type of ['tea.served', 'kettle.created', 'cup.', 'tea.cold'])
    expect(faults.filter((line) => line.startsWith(type))).toHaveLength(1)
})
