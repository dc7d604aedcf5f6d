import { HTTP, type Bench } from '../bench.ts'
import { httpSubject, requestHead } from '../http/driver.ts'
import { alternate, ratio } from '../measure/alternate.ts'
import type { Row, Subject } from '../measure/sample.ts'
import { signAccessToken } from '../../server/modules/authentication/index.ts'
import { equally, fillQueues, queueIds } from '../world.ts'

const LOGGED = 'as a program, whose requests are noted'
const MANY_PARTS = 'the log in 16 more parts'
/** Halves of years behind those that are there. */
const PARTS = 16
const CALLERS = [16] as const

/**
 * What the request log and the parts of the log of events cost a take and a call, by turns in one run. Requests are noted
 * of programs with a key of the organisation's only, so that a person is the other side.
 */
export async function prices(bench: Bench): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, kind] of [
    ['take: what is noted beside it', 'take'],
    ['call-next: what is noted beside it', 'call-next'],
  ] as const) {
    const subjects = [
      subject(bench, kind, HTTP, bench.server.token, fewParts),
      subject(bench, kind, LOGGED, programToken(bench), fewParts),
      subject(bench, kind, MANY_PARTS, bench.server.token, manyParts),
    ]
    rows.push(...(await alternate({ name, callers: CALLERS, subjects }, bench.effort, bench.log)))
    for (const other of [LOGGED, MANY_PARTS])
      bench.log(`${name}: ${other}, by pairs: ${ratio(rows, name, CALLERS[0], other, HTTP).toFixed(3)} of the rate`)
    await fewParts(bench)
  }
  return rows
}

function subject(
  bench: Bench,
  kind: 'take' | 'call-next',
  name: string,
  token: string,
  lay: (bench: Bench) => Promise<void>,
): Subject {
  const { server, world, cluster, driver } = bench
  const base = `/api/v1/tenants/${world.slug}`
  const path = kind === 'take' ? `${base}/tickets/` : `${base}/agents/{id}/call-next/`
  const head = requestHead('POST', path, { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' })
  const waiting = equally(queueIds(world), Math.ceil((1.2 * world.agents) / world.queues))
  return httpSubject(
    driver,
    cluster.postmaster,
    name,
    () =>
      kind === 'take'
        ? {
            port: server.port,
            head,
            body: '{"queue_id":{id},"channel":"kiosk","language":"fr"}',
            ids: { first: world.firstQueue, count: world.queues, wrap: true },
          }
        : { port: server.port, head, body: '{}', ids: { first: world.firstAgent, count: world.agents, wrap: false } },
    async () => {
      await lay(bench)
      if (kind === 'call-next') await fillQueues(cluster.direct, world, waiting)
    },
  )
}

/** Of the same rights as the person's, so that nothing but the name differs. */
function programToken({ server, world }: Bench): string {
  const iat = JSON.parse(Buffer.from(server.token.split('.')[1]!, 'base64url').toString()) as { iat: number }
  return signAccessToken(
    {
      sub: 'api_key:1',
      user_id: world.userId,
      tenant_id: world.tenantId,
      role: server.actor.role,
      scopes: [...server.actor.scopes],
      sid: 'bench',
      iat: iat.iat,
    },
    3600,
  )
}

const EXTRA = `select name from app.events_parts() where begins_at > now() + interval '1 year'`
async function manyParts({ cluster }: Bench): Promise<void> {
  await cluster.direct.query(
    `do $$ begin
       for n in 3..${PARTS + 2} loop call app.add_events_part(app.half_year(now()) + make_interval(months => 6 * n)); end loop;
     end $$`,
  )
}
async function fewParts({ cluster }: Bench): Promise<void> {
  for (const { name } of await cluster.direct.query<{ name: string }>(EXTRA))
    await cluster.direct.query(`drop table "${name}"`)
}
