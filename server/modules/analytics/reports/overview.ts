import Type from 'typebox'
import { Closed } from '../../../kernel/schema.ts'
import { readCells, type Cell } from '../rollup/read.ts'
import { Figures, figuresOf, isRounded, wholeOf } from './figures.ts'
import { NARROWED, narrowedFields, periodBefore, periodOf, periodOutput } from './period.ts'
import { report } from './query.ts'

const Hour = Type.Integer({ minimum: 0, maximum: 23 })
const Weekday = Type.Integer({ minimum: 1, maximum: 7, description: 'ISO: 1 is Monday' })

/** Hours by how many came, busiest first. */
const busiest = (cells: readonly Cell[]): number[] =>
  cells
    .filter(({ total_customers }) => total_customers > 0)
    .toSorted((a, b) => b.total_customers - a.total_customers || Number(a.keys.hour) - Number(b.keys.hour))
    .slice(0, 3)
    .map(({ keys }) => Number(keys.hour))

export const overview = report({
  id: 'analytics.overview',
  summary: 'What a period was like, beside the one before and day by day',
  description: NARROWED,
  path: 'overview',
  input: Closed(narrowedFields),
  output: Closed({
    ...periodOutput,
    current: Figures,
    /** As many days just before. */
    previous: Figures,
    peak_hours: Type.Array(Hour, { maxItems: 3 }),
    by_day: Type.Array(Closed({ date: Type.String({ format: 'date' }), ...Figures.properties })),
    ...isRounded,
  }),
  example: { from: '2026-11-01', to: '2026-11-30' },
  async run(ctx, input) {
    const period = await periodOf(ctx, input)
    const [current, previous, hours, days] = await Promise.all([
      readCells(ctx.tx, { ...input, ...period }, []),
      readCells(ctx.tx, { ...input, ...periodBefore(period) }, []),
      readCells(ctx.tx, { ...input, ...period }, ['hour']),
      readCells(ctx.tx, { ...input, ...period }, ['date']),
    ])
    return {
      ...period,
      current: figuresOf(wholeOf(current)),
      previous: figuresOf(wholeOf(previous)),
      peak_hours: busiest(hours.cells),
      by_day: days.cells.map((cell) => ({ date: cell.keys.date!, ...figuresOf(cell) })),
      is_rounded: current.is_rounded,
    }
  },
})

export const waitOverDay = report({
  id: 'analytics.waitOverDay',
  summary: 'Waits and arrivals by the hour of the local day',
  description: NARROWED,
  path: 'wait-over-day',
  input: Closed(narrowedFields),
  output: Closed({
    ...periodOutput,
    hours: Type.Array(Closed({ hour: Hour, ...Figures.properties })),
    ...isRounded,
  }),
  example: { from: '2026-11-01', to: '2026-11-30', site_id: 1 },
  async run(ctx, input) {
    const period = await periodOf(ctx, input)
    const { cells, is_rounded } = await readCells(ctx.tx, { ...input, ...period }, ['hour'])
    const hours = cells
      .map((cell) => ({ hour: Number(cell.keys.hour), ...figuresOf(cell) }))
      .toSorted((a, b) => a.hour - b.hour)
    return { ...period, hours, is_rounded }
  },
})

export const heatmap = report({
  id: 'analytics.heatmap',
  summary: 'How busy each hour of each weekday is',
  description: NARROWED,
  path: 'heatmap',
  input: Closed(narrowedFields),
  output: Closed({
    ...periodOutput,
    cells: Type.Array(Closed({ weekday: Weekday, hour: Hour, ...Figures.properties })),
    ...isRounded,
  }),
  example: { from: '2026-11-01', to: '2026-11-30' },
  async run(ctx, input) {
    const period = await periodOf(ctx, input)
    const { cells, is_rounded } = await readCells(ctx.tx, { ...input, ...period }, ['weekday', 'hour'])
    const sorted = cells
      .map((cell) => ({ weekday: Number(cell.keys.weekday), hour: Number(cell.keys.hour), ...figuresOf(cell) }))
      .toSorted((a, b) => a.weekday - b.weekday || a.hour - b.hour)
    return { ...period, cells: sorted, is_rounded }
  },
})

export const hoursByService = report({
  id: 'analytics.hoursByService',
  summary: 'Figures of each service by the hour of the local day',
  description: NARROWED,
  path: 'hours-by-service',
  input: Closed(narrowedFields),
  output: Closed({
    ...periodOutput,
    cells: Type.Array(Closed({ service_id: Type.Integer(), hour: Hour, ...Figures.properties })),
    ...isRounded,
  }),
  example: { from: '2026-01-01', to: '2026-12-31' },
  async run(ctx, input) {
    const period = await periodOf(ctx, input)
    const { cells, is_rounded } = await readCells(ctx.tx, { ...input, ...period }, ['service', 'hour'])
    const sorted = cells
      .map((cell) => ({ service_id: Number(cell.keys.service), hour: Number(cell.keys.hour), ...figuresOf(cell) }))
      .toSorted((a, b) => a.service_id - b.service_id || a.hour - b.hour)
    return { ...period, cells: sorted, is_rounded }
  },
})
