import { expect, test, vi } from 'vitest'
import { Optimism, type OptimisticAct } from './optimism.ts'

interface View {
  calls: string[]
}
interface Event {
  call: string
}
const calling = (call: string, send: (key: string) => Promise<string>): OptimisticAct<View, Event, string> => ({
  apply: (view) => ({ calls: [...view.calls, call] }),
  send,
  isTold: (event) => event.call === call,
})
function stage() {
  const shown: string[] = []
  const optimism = new Optimism<View, Event>((view) => shown.push(view.calls.join()))
  optimism.confirm({ calls: ['A1'] }, null)
  return { optimism, shown, now: () => optimism.shown?.calls.join() }
}

test('shown at once, and replaced by the event that tells of it', async () => {
  const { optimism, shown, now } = stage()
  const answer = Promise.withResolvers<string>()
  const acting = optimism.act(calling('A2', () => answer.promise))
  expect(shown).toEqual(['A1,A2'])
  // Others' events go under it.
  optimism.confirm({ calls: ['A1', 'B7'] }, { call: 'B7' })
  expect(now()).toBe('A1,B7,A2')
  optimism.confirm({ calls: ['A1', 'B7', 'A2'] }, { call: 'A2' })
  expect(now()).toBe('A1,B7,A2')
  answer.resolve('done')
  expect(await acting).toBe('done')
  expect(now()).toBe('A1,B7,A2')
})

test('taken back when the server refuses, and the refusal is told', async () => {
  const { optimism, shown, now } = stage()
  const refusal = Object.assign(new Error('agent_busy'), { status: 409 })
  await expect(optimism.act(calling('A2', () => Promise.reject(refusal)))).rejects.toBe(refusal)
  expect(shown).toEqual(['A1,A2', 'A1'])
  expect(now()).toBe('A1')
})

test('a lost answer is asked for again with the same key, a refusal is not', async () => {
  const { optimism } = stage()
  const keys: string[] = []
  const send = (key: string) => {
    keys.push(key)
    return keys.length < 3 ? Promise.reject(new TypeError('network')) : Promise.resolve('done')
  }
  expect(await optimism.act(calling('A2', send))).toBe('done')
  expect(keys).toHaveLength(3)
  expect(new Set(keys).size).toBe(1)
  expect(keys[0]).toMatch(/^[\da-f-]{36}$/)
})

test('a snapshot includes what was answered, not what is still on its way', async () => {
  const { optimism, now } = stage()
  const slow = Promise.withResolvers<string>()
  await optimism.act(calling('A2', async () => 'done'))
  const acting = optimism.act(calling('A3', () => slow.promise))
  optimism.confirm({ calls: ['A1', 'A2'] }, null)
  expect(now()).toBe('A1,A2,A3')
  slow.resolve('done')
  await acting
})

test('an act whose event belongs to another feed is not shown for ever', async () => {
  vi.useFakeTimers()
  try {
    const { optimism, now } = stage()
    await optimism.act(calling('A2', async () => 'done'))
    expect(now()).toBe('A1,A2')
    vi.advanceTimersByTime(6000)
    expect(now()).toBe('A1')
  } finally {
    vi.useRealTimers()
  }
})

test('an event that came before the answer is known by the answer', async () => {
  const { optimism, now } = stage()
  const answer = Promise.withResolvers<string>()
  let mine: string | null = null
  const acting = optimism.act({
    apply: (view) => ({ calls: [...view.calls, 'A2?'] }),
    send: () => answer.promise.then((call) => (mine = call)),
    isTold: (event) => event.call === mine,
  })
  optimism.confirm({ calls: ['A1', 'B7'] }, { call: 'B7' })
  optimism.confirm({ calls: ['A1', 'B7', 'A3'] }, { call: 'A3' })
  expect(now()).toBe('A1,B7,A3,A2?')
  answer.resolve('A3')
  await acting
  expect(now()).toBe('A1,B7,A3')
})
