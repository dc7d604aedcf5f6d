import { expect, test } from 'vitest'
import { Chain } from './chain.ts'

const event = (offset: number, after: number) => ({ type: 'ticket.created', offset, after })
function chainAt(offset: number) {
  const chain = new Chain()
  chain.snapshot('e1', offset)
  return chain
}

test('events that follow each other are new, whole and in order; offsets of other queues lie between', () => {
  const chain = chainAt(10)
  expect([event(11, 10), event(15, 11), event(16, 15)].map((e) => chain.accept(e))).toEqual([true, true, true])
  expect([chain.gaps, chain.repeats, chain.offset]).toEqual([0, 0, 16])
})

test('control: one event withheld is a gap', () => {
  const chain = chainAt(10)
  chain.accept(event(11, 10))
  chain.accept(event(16, 15))
  expect([chain.gaps, chain.repeats]).toEqual([1, 0])
})

test('control: one event sent twice is a repeat and is not applied', () => {
  const chain = chainAt(10)
  expect(chain.accept(event(11, 10))).toBe(true)
  expect(chain.accept(event(11, 10))).toBe(false)
  expect([chain.gaps, chain.repeats]).toEqual([0, 1])
})

test('control: two events in the wrong order are seen', () => {
  const chain = chainAt(10)
  chain.accept(event(12, 11))
  chain.accept(event(11, 10))
  expect([chain.gaps, chain.repeats]).toEqual([1, 1])
})

test('control: a snapshot that jumps over events is a gap, one that stands where the chain stands is not', () => {
  const chain = chainAt(10)
  chain.snapshot('e1', 10)
  expect(chain.gaps).toBe(0)
  chain.snapshot('e1', 14)
  expect(chain.gaps).toBe(1)
  chain.snapshot('e2', 14)
  expect(chain.gaps).toBe(2)
})
