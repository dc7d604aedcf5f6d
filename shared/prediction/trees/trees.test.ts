import { expect, test } from 'vitest'
import { randomizer } from '../../../test/random.ts'
import { DAY_SECONDS } from '../scale.ts'
import { Forest } from './forest.ts'
import { NightlyTrees } from './nightly.ts'
import { LEAVES, type Table } from './tree.ts'

const WIDTH = 5

function sample(count: number, law: (row: Uint8Array) => number, noise = 0) {
  const random = randomizer(9)
  const rows = Uint8Array.from({ length: count * WIDTH }, () => Math.floor(random() * 256))
  const row = (i: number) => rows.subarray(i * WIDTH, (i + 1) * WIDTH)
  const targets = Float64Array.from({ length: count }, (_, i) => law(row(i)) + noise * (random() - 0.5))
  return { table: { width: WIDTH, rows } satisfies Table, targets, row }
}
const step = (row: Uint8Array) => (row[1]! > 100 ? 1 : 0) + (row[3]! > 200 && row[1]! > 50 ? 2 : 0)
const run = (steps: Iterable<void>) => [...steps].length
function fitted({ table, targets }: Pick<ReturnType<typeof sample>, 'table' | 'targets'>) {
  const forest = new Forest()
  run(forest.fit(table, targets))
  return forest
}
/** Mean absolute error over the rows learned from, cut off after so many trees. */
function loss(data: ReturnType<typeof sample>, forest: Forest, trees: number): number {
  const [start, splits, values] = forest.save()
  const cut = new Forest()
  const bytes = splits.length / (values.length / LEAVES)
  cut.load([start, splits.slice(0, trees * bytes), values.slice(0, Math.max(1, trees * LEAVES))])
  return data.targets.reduce((sum, y, i) => sum + Math.abs(y - cut.predict(data.row(i))), 0) / data.targets.length
}

test('the same rows make the same trees; restored, they say the same', () => {
  const data = sample(800, step, 1)
  const [forest, twin] = [fitted(data), fitted(data)]
  expect(twin.save()).toEqual(forest.save())
  const restored = new Forest()
  restored.load(forest.save())
  expect(restored.predict(data.row(3))).toBe(forest.predict(data.row(3)))
})

test('every tree lowers the error on what it learned from, and a law of steps is found', () => {
  const data = sample(1500, step, 0.2)
  const forest = fitted(data)
  const losses = Array.from({ length: 81 }, (_, trees) => loss(data, forest, trees))
  for (const [i, later] of losses.slice(1).entries()) expect(later).toBeLessThanOrEqual(losses[i]! + 1e-4)
  expect(losses.at(-1)!).toBeLessThan(0.2 * losses[0]!)
})

test('it is the median that is told: a tenth of wild targets moves nothing', () => {
  const data = sample(1000, () => 1)
  const wild = { ...data, targets: data.targets.map((y, i) => (i % 10 === 0 ? 1000 : y)) }
  expect(fitted(wild).predict(data.row(5))).toBe(1)
})

test('constants, no rows and rows that are all alike are no trouble', () => {
  expect(fitted(sample(500, () => 0.75)).predict(new Uint8Array(WIDTH))).toBe(0.75)
  const none = { table: { width: WIDTH, rows: new Uint8Array(0) }, targets: new Float64Array(0) }
  expect(fitted(none).predict(new Uint8Array(WIDTH))).toBe(0)
  const alike = { table: { width: WIDTH, rows: new Uint8Array(200 * WIDTH) }, targets: new Float64Array(200) }
  alike.targets.fill(2, 0, 150)
  expect(fitted(alike).predict(new Uint8Array(WIDTH))).toBe(2)
})

test('a night learns from the days before; one line alone keeps nothing, more lines a bounded number of waits', () => {
  const trees = new NightlyTrees(WIDTH)
  const { row } = sample(20_000, step)
  for (let i = 0; i < 400; i++) trees.keep(row(i), 1, 1)
  expect(trees.save()[1]).toHaveLength(0)
  for (let i = 0; i < 20_000; i++) trees.keep(row(i), step(row(i)) / 2, 2)
  expect(trees.save()[1].length).toBeLessThanOrEqual(1200)
  expect(trees.predict(row(0))).toBeNaN()
  expect(trees.isDue(DAY_SECONDS)).toBe(true)
  expect(run(trees.refit(DAY_SECONDS))).toBe(80)
  expect(trees.isDue(DAY_SECONDS + 3600)).toBe(false)
  expect(trees.isDue(2 * DAY_SECONDS + 4 * 3600)).toBe(true)
  expect(trees.predict(row(0))).toBeCloseTo(step(row(0)) / 2, 1)
})

test('trees weigh as much as would have been off least of late', () => {
  const trees = new NightlyTrees(WIDTH)
  expect(trees.weight).toBe(0)
  for (let i = 0; i < 50; i++) trees.judge((weight) => Math.abs(weight - 0.6))
  expect(trees.weight).toBe(0.5)
  for (let i = 0; i < 300; i++) trees.judge((weight) => weight)
  expect(trees.weight).toBe(0)
})
