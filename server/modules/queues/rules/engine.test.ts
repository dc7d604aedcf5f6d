import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, localTime, matches, punctuality, type PublishedRule, type RuleFacts } from './engine.ts'

const facts: RuleFacts = {
  service_id: 1,
  channel: 'kiosk',
  language: 'fr',
  labels: ['VIP'],
  minute: 10 * 60,
  weekday: 1,
  appointment: null,
  wait_seconds: 0,
  queue_length: 5,
}
let serial = 0
const rule = (condition: PublishedRule['condition'], effect: PublishedRule['effect']): PublishedRule => ({
  id: ++serial,
  name: `rule ${serial}`,
  condition,
  effect,
})

test.each<[PublishedRule['condition'], Partial<RuleFacts>, boolean]>([
  [{}, {}, true],
  [{ service_ids: [1, 2] }, {}, true],
  [{ service_ids: [2] }, {}, false],
  [{ channels: ['web'] }, {}, false],
  [{ languages: ['ar', 'fr'] }, {}, true],
  [{ languages: ['ar'] }, { language: null }, false],
  [{ customer_labels: ['PMR', 'VIP'] }, {}, true],
  [{ customer_labels: ['PMR'] }, {}, false],
  [{ hours: { from: '09:00', to: '10:00' } }, {}, false],
  [{ hours: { from: '10:00', to: '10:01' } }, {}, true],
  [{ hours: { from: '22:00', to: '06:00', weekdays: [7] } }, { minute: 60, weekday: 1 }, true],
  [{ hours: { from: '22:00', to: '06:00', weekdays: [7] } }, { minute: 60, weekday: 7 }, false],
  [{ hours: { from: '00:00', to: '23:59' } }, { minute: null }, false],
  [{ appointment: 'late' }, { appointment: 'late' }, true],
  [{ appointment: 'late' }, {}, false],
  [{ wait_over_seconds: 600 }, { wait_seconds: 600 }, false],
  [{ wait_over_seconds: 600 }, { wait_seconds: 601 }, true],
  [{ queue_length_over: 5 }, {}, false],
  [{ queue_length_over: 4, channels: ['web'] }, {}, false],
])('%o on %o: %s', (condition, more, expected) => {
  expect(matches(condition, { ...facts, ...more })).toBe(expected)
})

test('the first rule of a kind decides; a refusal or another queue ends the evaluation', () => {
  const vip = rule({ customer_labels: ['VIP'] }, { priority: 3 })
  const all = rule({}, { priority: 1 })
  const skill = rule({}, { required_skill: 'sign' })
  const away = rule({}, { queue_id: 7 })
  const never = rule({}, { refuse: { reason: { fr: 'non' } } })
  expect(decide([vip, all, skill, away, never], facts)).toEqual({
    priority: 3,
    required_skill: 'sign',
    queue_id: 7,
    notify: [],
    applied: [vip, skill, away],
  })
  expect(decide([never, vip], facts)).toMatchObject({ refuse: { reason: { fr: 'non' } }, applied: [never] })
})

test('rules that do not match change nothing, wherever they stand; control: rules that match do', () => {
  const silent = rule({ channels: ['sms'] }, { priority: 9 })
  const loud = rule({}, { priority: 9 })
  const some = fc.array(
    fc.constantFrom(rule({}, { priority: 2 }), rule({ labels: [] } as object, { required_skill: 'x' })),
  )
  fc.assert(
    fc.property(some, fc.nat(5), (rules, at) => {
      expect(decide(rules.toSpliced(at, 0, silent), facts)).toEqual(decide(rules, facts))
    }),
  )
  expect(decide([loud, rule({}, { priority: 2 })], facts).priority).not.toBe(2)
})

test('local time and punctuality', () => {
  const noon = Temporal.Instant.from('2026-07-06T10:30:00Z').epochMilliseconds * 1000
  expect(localTime(noon, 'Europe/Paris')).toEqual({ minute: 12 * 60 + 30, weekday: 1 })
  expect([-901, -900, 900, 901].map((late) => punctuality(noon, noon + late * 1e6))).toEqual([
    'early',
    'on_time',
    'on_time',
    'late',
  ])
  expect(punctuality(null, noon)).toBeNull()
})
