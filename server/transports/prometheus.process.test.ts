import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { freePort } from '../../test/faults/proxy.ts'
import { measureBacklog, measureProcess } from '../kernel/metrics.ts'
import { jobBacklog } from '../kernel/jobs/index.ts'
import { startApp } from '../test/app.ts'
import { whenOver } from '../test/when-over.ts'
import { serveMetrics } from './metrics.ts'

const OPS = fileURLToPath(new URL('../../ops/', import.meta.url))
const promtool = (...args: string[]) => execFileSync('promtool', args, { encoding: 'utf8', stdio: 'pipe' })
const hasPrometheus = ['prometheus', 'promtool'].every((tool) => spawnSync(tool, ['--version']).status === 0)
if (!hasPrometheus) process.stderr.write('prometheus is not installed: rules and dashboards are NOT checked\n')

/** Expressions of the dashboards and alerts, by where they stand. */
function expressions(): [where: string, expr: string][] {
  const boards = readdirSync(join(OPS, 'grafana')).flatMap((file) => {
    const { panels } = JSON.parse(readFileSync(join(OPS, 'grafana', file), 'utf8')) as {
      panels: { title: string; targets: { expr: string }[] }[]
    }
    return panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }): [string, string] => [`${file}: ${title}`, expr]),
    )
  })
  const rules = readFileSync(join(OPS, 'prometheus/rules.yml'), 'utf8')
  const alerts = [...rules.matchAll(/alert: (\w+)\n +expr: (?:\|\n)?([\s\S]*?)\n +for:/g)].map(
    ([, name, expr]): [string, string] => [`alert ${name}`, expr!.trim()],
  )
  expect(alerts).toHaveLength([...rules.matchAll(/- alert:/g)].length)
  return [...boards, ...alerts]
}

const WORDS = new Set(['by', 'without', 'and', 'or', 'unless', 'on', 'ignoring', 'offset', 'bool', 'group_left'])
/** Names of metrics in an expression: words that are no function, no keyword and no label. */
function metricsOf(expr: string): string[] {
  const bare = expr
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, '')
    .replace(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, '')
  return [...bare.matchAll(/(?<![\w.])([a-zA-Z_:][\w:]*)(?!\w*\s*\()/g)]
    .map(([, name]) => name!)
    .filter((name) => !WORDS.has(name))
}

describe.skipIf(!hasPrometheus)('with Debian’s Prometheus', async () => {
  const server = await startApp()
  const bank = await server.aTenant({ slug: 'scraped' })
  const metrics = await serveMetrics(0, '127.0.0.1', server.isReady)
  whenOver(() => metrics.close())
  measureProcess()
  measureBacklog(() => jobBacklog(server.db))

  test('the rules and their configuration are sound', () => {
    const directory = join(OPS, 'prometheus')
    expect(promtool('check', 'rules', join(directory, 'rules.yml'))).toContain('SUCCESS')
    expect(promtool('check', 'config', join(directory, 'prometheus.yml'))).toContain('SUCCESS')
  })

  test('the alerts fire when they should and not otherwise', () => {
    expect(promtool('test', 'rules', join(OPS, 'prometheus/rules.test.yml'))).toContain('SUCCESS')
    const tested = readFileSync(join(OPS, 'prometheus/rules.test.yml'), 'utf8')
    for (const [where] of expressions().filter(([each]) => each.startsWith('alert')))
      expect(tested).toContain(`alertname: ${where.slice('alert '.length)}\n`)
  })

  test('it scrapes this server, evaluates every expression, and every metric in them is there', async () => {
    const take = { queue_id: bank.queues[0]!.id, channel: 'web' }
    await server.app.inject({ method: 'POST', url: '/public/scraped/tickets/', payload: take })
    const url = await startPrometheus((metrics.address() as AddressInfo).port)
    const ask = async (path: string) => (await (await fetch(url + path)).json()) as { status: string; data: any }
    const isUp = async () => (await ask('/api/v1/query?query=up')).data.result[0]?.value[1]
    await expect.poll(isUp, { timeout: 30_000, interval: 200 }).toBe('1')
    const known = new Set(
      ((await ask('/api/v1/targets/metadata')).data as { metric: string }[]).map(({ metric }) => metric),
    )
    const isThere = (name: string) =>
      name === 'up' || known.has(name) || known.has(name.replace(/_(bucket|count|sum)$/, ''))
    const all = expressions()
    expect(all.length).toBeGreaterThan(40)
    for (const [where, expr] of all) {
      const written = expr.replaceAll('$__rate_interval', '5m').replaceAll('$tenant', '.*')
      const answer = await ask(`/api/v1/query?query=${encodeURIComponent(written)}`)
      expect([where, answer.status]).toEqual([where, 'success'])
      expect(metricsOf(expr).length).toBeGreaterThan(0)
      expect([where, metricsOf(expr).filter((name) => !isThere(name))]).toEqual([where, []])
    }
    // The control: a metric that nobody measures is found missing.
    expect(metricsOf('sum(rate(tickets_forgotten_total[5m])) by (tenant)').filter((name) => !isThere(name))).toEqual([
      'tickets_forgotten_total',
    ])
    expect((await ask('/api/v1/query?query=tickets_created_total')).data.result).toMatchObject([
      { metric: { tenant: 'scraped', channel: 'web' }, value: [expect.any(Number), '1'] },
    ])
    expect((await ask('/api/v1/rules')).data.groups[0].rules).toHaveLength(
      all.filter(([where]) => where.startsWith('alert')).length,
    )
  })
})

async function startPrometheus(target: number): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'sq-prometheus-'))
  const port = await freePort()
  const config = readFileSync(join(OPS, 'prometheus/prometheus.yml'), 'utf8')
    .replaceAll('15s', '1s')
    .replace('localhost:9464', `127.0.0.1:${target}`)
    .replace('rules.yml', join(OPS, 'prometheus/rules.yml'))
  writeFileSync(join(directory, 'prometheus.yml'), config)
  const child = spawn(
    'prometheus',
    [
      `--config.file=${directory}/prometheus.yml`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  whenOver(async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill()
    await gone
    rmSync(directory, { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${port}`
  const isReady = () =>
    fetch(`${url}/-/ready`).then(
      ({ status }) => status,
      () => 0,
    )
  await expect.poll(isReady, { timeout: 30_000, interval: 100 }).toBe(200)
  return url
}
