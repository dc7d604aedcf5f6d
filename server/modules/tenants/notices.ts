import Type, { type Static } from 'typebox'
import { ROLES } from '../../kernel/access.ts'
import { invalid } from '../../kernel/errors.ts'
import { backlogOf } from '../../kernel/jobs/index.ts'
import { standing } from '../../kernel/metrics.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Text, Time } from '../../kernel/schema.ts'

const platform = { scope: 'admin:tenant', roles: ['operator', 'system'] } as const
const Said = Text(500, { minLength: 1 })
const Notice = Closed({
  id: Id,
  level: Enum(['information', 'disturbance', 'outage']),
  texts: Closed({ fr: Type.Optional(Said), en: Type.Optional(Said), ar: Type.Optional(Said) }),
  surfaces: Type.Array(Enum(['console', 'visitor', 'status']), { minItems: 1, uniqueItems: true }),
  starts_at: Time,
  ended_at: Nullable(Time),
})
type Notice = Static<typeof Notice>
const COLUMNS = Object.keys(Notice.properties).join(', ')

const list = operation({
  ...platform,
  id: 'notices.list',
  kind: 'query',
  summary: 'What the platform told everybody, the newest first',
  http: { method: 'GET', path: '/platform/notices/', base: 'root' },
  input: Closed({}),
  output: Closed({ results: Type.Array(Notice) }),
  example: { input: {} },
  run: async ({ tx }) => ({
    results: await tx.query<Notice>(`select ${COLUMNS} from platform_notices order by id desc limit 100`),
  }),
})

const publish = operation({
  ...platform,
  id: 'notices.publish',
  kind: 'mutation',
  summary: 'Tell everybody something, on the screens that are named, until it is ended',
  description: 'In French, English and Arabic, or in one of them, which then stands for the others.',
  http: { method: 'POST', path: '/platform/notices/', base: 'root', status: 201 },
  input: Closed({
    level: Notice.properties.level,
    texts: Notice.properties.texts,
    surfaces: Notice.properties.surfaces,
  }),
  output: Notice,
  example: {
    input: { level: 'disturbance', texts: { en: 'Text messages arrive late.' }, surfaces: ['console', 'status'] },
  },
  async run(ctx, { level, texts, surfaces }) {
    if (Object.keys(texts).length === 0) throw invalid('/texts', 'required')
    const notice = await ctx.tx.one<Notice>(
      `insert into platform_notices (level, texts, surfaces) values ($1, $2::jsonb, $3) returning ${COLUMNS}`,
      [level, JSON.stringify(texts), surfaces],
    )
    ctx.record({ before: null, after: notice })
    return notice
  },
})

const end = operation({
  ...platform,
  id: 'notices.end',
  kind: 'mutation',
  summary: 'Take a notice off the screens; the status page keeps it for a week',
  http: { method: 'POST', path: '/platform/notices/{id}/end/', base: 'root' },
  input: Closed({ id: Id }),
  output: Notice,
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const notice = await ctx.tx.one<Notice>(
      `update platform_notices set ended_at = coalesce(ended_at, now()) where id = $1 returning ${COLUMNS}`,
      [id],
    )
    ctx.record({ before: { ended_at: null }, after: { ended_at: notice.ended_at } })
    return notice
  },
})

/** Milliseconds and seconds up to which a part works; see docs/operations. */
const SLOW = { requests_ms: 250, live_ms: 500, jobs_seconds: 60, jobs_stopped_seconds: 600 }
const PARTS = ['requests', 'live', 'jobs', 'messages'] as const
const Health = Enum(['works', 'slow', 'stopped'])
const Status = Closed({
  parts: Type.Array(Closed({ part: Enum(PARTS), health: Health })),
  notices: Type.Array(Notice),
})
type Health = Static<typeof Health>

async function healthOf({ tx }: Context): Promise<Record<(typeof PARTS)[number], Health>> {
  const [{ requests, events, messages }, { oldest_seconds }] = await Promise.all([standing(), backlogOf(tx)])
  const within = (value: number | null, most: number): Health => ((value ?? 0) > most ? 'slow' : 'works')
  return {
    requests: within(requests.p95_ms, SLOW.requests_ms),
    live: within(events.p95_ms, SLOW.live_ms),
    jobs: oldest_seconds > SLOW.jobs_stopped_seconds ? 'stopped' : within(oldest_seconds, SLOW.jobs_seconds),
    messages: messages.failed > messages.sent / 10 ? 'slow' : 'works',
  }
}
const TOLD = `
  select ${COLUMNS} from platform_notices
  where (ended_at is null or (ended_at > now() - interval '7 days' and 'status' = any (surfaces)))
    and (surfaces && $1::text[]) order by id desc limit 20`
/** What is for staff is told to people who are signed in. */
const AUDIENCE = (userId: number | null) => ['visitor', 'status', ...(userId === null ? [] : ['console'])]

const status = operation({
  id: 'platform.status',
  kind: 'query',
  summary: 'Does the installation work, and what does the platform say?',
  description:
    'For anybody, without figures. Notices are those that stand, and of the last seven days those of the status page.',
  scope: null,
  roles: ROLES,
  http: { method: 'GET', path: '/status/', base: 'root' },
  input: Closed({}),
  output: Status,
  example: { input: {} },
  async run(ctx) {
    const [health, notices] = await Promise.all([
      healthOf(ctx),
      ctx.tx.query<Notice>(TOLD, [AUDIENCE(ctx.actor.userId)]),
    ])
    return { parts: PARTS.map((part) => ({ part, health: health[part] })), notices }
  },
})

export const noticeOperations: readonly Operation[] = [list, publish, end, status]
