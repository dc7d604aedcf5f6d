import { expect, test } from 'vitest'
import type { Call, Display } from '../../../shared/views.ts'
import type { DisplaysScreen } from '../../data/operations.ts'
import { callsSince, isClosed, mediaNow, recentCalls, START, volumeOf, type Model } from './model.ts'
import { isRestTime } from './rest.ts'

const at = (text: string) => Date.parse(text)
const called = (ticket_id: number, when: string): Call => ({
  ticket_id,
  queue_id: 1,
  number: `A00${ticket_id}`,
  counter_name: 'Guichet 1',
  at: when,
})
const screen = (settings: object = {}) =>
  ({ display: { settings, alert: null }, site: { timezone: 'Europe/Paris' }, queues: [] }) as unknown as DisplaysScreen
const model = (now: string, recent: Call[], settings?: object): Model => ({
  ...START,
  now: at(now),
  screen: screen(settings),
  view: { recent, called: [], queues: [], agents: [] } as unknown as Display,
})

test('a recalled ticket has one row, the one on the stage none, and yesterday is over at midnight of the site', () => {
  const calls = [
    called(2, '2026-11-22T22:59:00Z'),
    called(1, '2026-11-22T22:58:00Z'),
    called(2, '2026-11-22T22:57:00Z'),
  ]
  const evening = model('2026-11-22T22:59:30Z', calls)
  expect(recentCalls(evening).map(({ number }) => number)).toEqual(['A002', 'A001'])
  const staged = { ...evening, announcement: { call: calls[0]!, isNow: true } }
  expect(recentCalls(staged).map(({ number }) => number)).toEqual(['A001'])
  // 23:00 in UTC is midnight in Paris.
  expect(recentCalls(model('2026-11-22T23:00:30Z', calls))).toEqual([])
})

test('what was called while only a snapshot could tell is known, in its order, and nothing of before', () => {
  const view = (...recent: Call[]) => ({ recent }) as unknown as Display
  const [old, known, next, recalled] = [
    called(1, '2026-11-22T10:00:00Z'),
    called(2, '2026-11-22T10:01:00Z'),
    called(3, '2026-11-22T10:02:00Z'),
    called(2, '2026-11-22T10:03:00Z'),
  ]
  expect(callsSince(view(known), view(recalled, next, known, old))).toEqual([next, recalled])
  expect(callsSince(view(), view(known, old))).toEqual([old, known])
  expect(callsSince(view(next, known), view(next, known))).toEqual([])
})

test('as many rows as the house wants, never more than can be read from afar', () => {
  const calls = Array.from({ length: 12 }, (_, i) => called(i + 1, '2026-11-22T10:00:00Z'))
  const rows = (settings: object) => recentCalls(model('2026-11-22T10:01:00Z', calls, settings)).length
  expect([rows({}), rows({ max_calls: 3 }), rows({ max_calls: 20 }), rows({ layout: 'single_call' })]).toEqual([
    6, 3, 6, 0,
  ])
})

test.each([
  ['2026-11-22T20:30:00Z', { from: '21:00', until: '07:00' }, 0],
  ['2026-11-22T05:30:00Z', { from: '21:00', until: '07:00' }, 0],
  ['2026-11-22T10:00:00Z', { from: '21:00', until: '07:00' }, 0.8],
  ['2026-11-22T10:30:00Z', { from: '11:00', until: '12:00' }, 0],
  ['2026-11-22T11:00:00Z', { from: '11:00', until: '12:00' }, 0.8],
])('at %s with silence %o the volume is %s', (now, quiet_hours, volume) => {
  expect(volumeOf({ screen: screen({ quiet_hours }), now: at(now) })).toBe(volume)
})

test('chime and voice are as loud as the house wants, each may be silent', () => {
  const now = at('2026-11-22T10:00:00Z')
  const volumes = (settings: object) =>
    (['chime', 'voice'] as const).map((kind) => volumeOf({ screen: screen(settings), now }, kind))
  expect([
    volumes({}),
    volumes({ volume_percent: 35 }),
    volumes({ chime: false }),
    volumes({ voice: false }),
    volumes({ volume_percent: 0 }),
  ]).toEqual([
    [0.8, 0.8],
    [0.35, 0.35],
    [0, 0.8],
    [0.8, 0],
    [0, 0],
  ])
})

test('hours may have a volume of their own, but silence is silent', () => {
  const volume_hours = [
    { from: '12:00', until: '14:00', volume_percent: 40 },
    { from: '22:00', until: '06:00', volume_percent: 10 },
    { from: '13:00', until: '15:00', volume_percent: 90 },
  ]
  const volumeAt = (now: string, more: object = {}) => volumeOf(model(now, [], { volume_hours, ...more }))
  // 11:30, 13:30, 14:30 and 23:30 in Paris.
  const days = ['10:30', '12:30', '13:30', '22:30'].map((time) => `2026-11-22T${time}:00Z`)
  expect(days.map((now) => volumeAt(now))).toEqual([0.8, 0.4, 0.9, 0.1])
  expect(volumeAt(days[1]!, { quiet_hours: { from: '13:00', until: '14:00' } })).toBe(0)
  expect(volumeAt(days[1]!, { chime: false })).toBe(0)
})

test('closed is who serves nobody and awaits nobody', () => {
  const queues = (status: string, waiting_count = 0) => [
    { id: 1, name: '', status, waiting_count, service_seconds: null },
  ]
  const closed = (each: unknown[], calledNow: unknown[] = []) =>
    isClosed({ ...START, view: { queues: each, called: calledNow } as unknown as Display })
  expect([
    closed(queues('closed')),
    closed(queues('open')),
    closed(queues('closed', 1)),
    closed(queues('closed'), [{}]),
    closed([]),
  ]).toEqual([true, false, false, false, false])
})

test('an old page is loaded anew at night, by the clock of the site', () => {
  const started = at('2026-11-21T10:00:00Z')
  const rests = (now: string) => isRestTime(started, 'Europe/Paris', at(now))
  expect(rests('2026-11-22T02:30:00Z')).toBe(true)
  expect(rests('2026-11-22T04:30:00Z')).toBe(false)
  expect(rests('2026-11-22T12:00:00Z')).toBe(false)
  expect(isRestTime(at('2026-11-22T01:00:00Z'), 'Europe/Paris', at('2026-11-22T02:30:00Z'))).toBe(false)
})

test('pictures and films take turns by the clock, at their days and hours of the site', () => {
  const item = (media_id: number, seconds: number, when: object = {}) => ({ media_id, seconds, ...when })
  const shown = (now: string, items: object[]) => {
    const told = { ...screen(), media: items } as unknown as DisplaysScreen
    return mediaNow({ screen: told, now: at(now) })?.media_id ?? null
  }
  const items = [item(1, 10), item(2, 20)]
  // Since 1970 the turns of half a minute began on each minute and half.
  expect(['00', '09', '10', '29', '30'].map((s) => shown(`2026-11-23T10:00:${s}Z`, items))).toEqual([1, 1, 2, 2, 1])
  const timed = [
    item(3, 10, { weekdays: [1], from: '08:00', until: '12:00' }),
    item(4, 10, { from: '22:00', until: '02:00' }),
  ]
  // A Monday; 11:30 and then 12:30 in Paris, 23:30, and 01:30 of the next day.
  expect(['10:30', '11:30', '22:30'].map((time) => shown(`2026-11-23T${time}:00Z`, timed))).toEqual([3, null, 4])
  expect(shown('2026-11-24T00:30:00Z', timed)).toBe(4)
  expect(shown('2026-11-24T10:30:00Z', timed)).toBeNull()
  expect(shown('2026-11-23T10:00:00Z', [])).toBeNull()
})
