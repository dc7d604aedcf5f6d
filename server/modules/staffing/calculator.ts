import Type from 'typebox'
import {
  patientPeople,
  performance,
  requiredServers,
  serviceLevel,
  type Demand,
  type ServiceGoal,
} from '../../../shared/staffing/erlang.ts'
import { forecastArrivals, SLOTS } from '../../../shared/staffing/forecast.ts'
import { MANAGERS } from '../../kernel/access.ts'
import { invalid } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Day, Id, Nullable } from '../../kernel/schema.ts'
import { arrivalsByQueue } from './arrivals.ts'

/** So many people are in no waiting room, and with more one answer would hold the process up for seconds. */
const MOST_PATIENT = 10_000
const Share = Type.Number({ minimum: 0, maximum: 1 })
const goalFields = {
  /** `share` of people are called within `within_seconds`. */
  within_seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
  share: Type.Optional(Type.Number({ minimum: 0.01, maximum: 0.999 })),
  max_mean_wait_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
  max_wait_probability: Type.Optional(Type.Number({ minimum: 0.001, maximum: 1 })),
  max_occupancy: Type.Optional(Type.Number({ minimum: 0.1, maximum: 1 })),
}
const GOAL_NAMES = Object.keys(goalFields) as (keyof ServiceGoal)[]
/** 80 % within ten minutes, unless something else is asked for. */
const USUAL_GOAL: ServiceGoal = { within_seconds: 600, share: 0.8 }
function goalOf(input: ServiceGoal): ServiceGoal {
  const given = GOAL_NAMES.filter((name) => input[name] !== undefined)
  return given.length === 0 ? USUAL_GOAL : Object.fromEntries(given.map((name) => [name, input[name]]))
}

const Row = Closed({
  servers: Type.Integer(),
  load: Type.Number(),
  is_overloaded: Type.Boolean(),
  occupancy: Share,
  wait_probability: Share,
  mean_wait_seconds: Nullable(Type.Number()),
  p90_wait_seconds: Nullable(Type.Number()),
  queue_length: Nullable(Type.Number()),
  abandoned: Share,
  service_level: Share,
})
const bounded = (share: number) => Math.min(1, Math.max(0, share))

/** The staffing calculator. */
export const calculate = operation({
  id: 'staffing.calculate',
  kind: 'query',
  summary: 'How many agents a load needs, and what each number gives',
  description:
    'Erlang C; Erlang A when `patience_seconds` is given, for up to 10 000 people who would wait if nobody served. Without a goal: 80 % within ten minutes. `required` is null when no number of agents meets the goal.',
  scope: 'read:analytics',
  roles: MANAGERS,
  http: { method: 'GET', path: '/staffing/calculate/' },
  input: Closed({
    arrivals_per_hour: Type.Number({ minimum: 0, maximum: 1_000_000 }),
    service_seconds: Type.Number({ minimum: 1, maximum: 86_400 }),
    patience_seconds: Type.Optional(Type.Number({ minimum: 1, maximum: 1_000_000 })),
    /** Look at this number of agents too. */
    servers: Type.Optional(Type.Integer({ minimum: 0, maximum: 5000 })),
    ...goalFields,
  }),
  output: Closed({ required: Nullable(Type.Integer()), rows: Type.Array(Row) }),
  example: { input: { arrivals_per_hour: 720, service_seconds: 240, within_seconds: 15, share: 0.8 } },
  async run(_ctx, input) {
    const { arrivals_per_hour, service_seconds, patience_seconds = null } = input
    const demand: Demand = { arrivals_per_hour, service_seconds, patience_seconds }
    if (patientPeople(demand) > MOST_PATIENT) throw invalid('/patience_seconds', 'range')
    const goal = goalOf(input as ServiceGoal)
    const required = requiredServers(demand, goal)
    const around = required === null ? [] : [-2, -1, 0, 1, 2].map((more) => required + more)
    const wanted = new Set([...around, ...(input.servers === undefined ? [] : [input.servers])].filter((n) => n >= 0))
    const rows = [...wanted]
      .sort((a, b) => a - b)
      .map((servers) => {
        const { wait_probability, occupancy, abandoned, ...row } = performance(servers, demand)
        return {
          ...row,
          occupancy: bounded(occupancy),
          wait_probability: bounded(wait_probability),
          abandoned: bounded(abandoned),
          service_level: bounded(serviceLevel(servers, demand, goal.within_seconds ?? 600)),
        }
      })
    return { required, rows }
  },
})

const Requirement = Closed({
  /** Local time of the site. */
  from: Type.String({ pattern: '^\\d\\d:\\d\\d$' }),
  arrivals: Type.Number(),
  required: Nullable(Type.Integer()),
})

/** Agents needed on a day. */
export const requirements = operation({
  id: 'queues.staffingRequirements',
  kind: 'query',
  summary: 'Agents a queue needs in each half hour of a day',
  description:
    'From the arrivals of the last eight weeks: the profile of the weekday, recent weeks counting more, times the drift of the last week; service times as measured now.',
  scope: 'read:analytics',
  roles: MANAGERS,
  http: { method: 'GET', path: '/queues/{id}/staffing-requirements/' },
  input: Closed({ id: Id, date: Day, ...goalFields }),
  output: Closed({ service_seconds: Type.Integer(), half_hours: Type.Array(Requirement) }),
  example: { input: { id: 1, date: '2026-11-23', within_seconds: 600, share: 0.9 } },
  pool: 'reports',
  async run(ctx, { id, date, ...wanted }) {
    const { service_seconds } = await ctx.tx.one<{ service_seconds: number }>(
      'select service_seconds from queue_states where queue_id = $1',
      [id],
    )
    const forecast = forecastArrivals((await arrivalsByQueue(ctx, [id])).get(id) ?? [], date)
    const goal = goalOf(wanted as ServiceGoal)
    const half_hours = Array.from({ length: SLOTS }, (_, slot) => {
      const arrivals = forecast[slot]!
      const demand = { arrivals_per_hour: arrivals * 2, service_seconds }
      const from = `${String(slot >> 1).padStart(2, '0')}:${slot % 2 ? '30' : '00'}`
      return { from, arrivals: Math.round(arrivals * 100) / 100, required: requiredServers(demand, goal) }
    })
    return { service_seconds, half_hours }
  },
})
