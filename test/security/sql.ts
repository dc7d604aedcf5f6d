import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Operation } from '../../server/kernel/operation.ts'
import { Client } from './client.ts'
import { startInjectableServer } from './naive-server.ts'
import { tableOf } from './references.ts'
import { idsOf, tokenFor, type World } from './world.ts'

export interface SqlOptions {
  world: World
  operations: readonly Operation[]
  port: number
  /** A superuser's address of the database, for the naive server. */
  directUrl: string
  /** Where sqlmap may write. */
  directory: string
  signal: AbortSignal
  progress(line: string): void
}
export interface SqlReport {
  lists: number
  /** Ways out of a statement, in filters that take numbers, times or one of a few words. */
  closed: { asked: number; granted: number }
  /** Texts and orderings that sqlmap tried. */
  parameters: number
  injectable: number
  /** Answers 500 while it tried. */
  internal: number
  controlInjectable: number
}

const MOST_SECONDS = 240

/** `apt-get install sqlmap` brings it. */
export const hasSqlmap = (): boolean => spawnSync('sqlmap', ['--version']).status === 0

type Schema = Record<string, unknown>

/** sqlmap on each filter and ordering of every list, and on a server that puts its input into its statements. */
export async function sql(options: SqlOptions): Promise<SqlReport> {
  const { world, port, directory, signal, progress } = options
  const lists = options.operations.filter(
    ({ kind, http, input }) =>
      kind === 'query' &&
      http.method === 'GET' &&
      (http.base ?? 'tenant') === 'tenant' &&
      'limit' in (input.properties as object),
  )
  const ids = await idsOf(world, world.own)
  const token = tokenFor(world.own, 'admin')
  const addresses = lists.map((op) => {
    const named = (name: string) => ids.get(tableOf(op, name, world.numbered) ?? '')?.[0] ?? 1
    const path = op.http.path.replace(/\{(\w+)\}/g, (_, name: string) => String(named(name)))
    const filters = filtersOf(op.input).filter(([name]) => !op.http.path.includes(`{${name}}`))
    return {
      path: `/api/v1/tenants/${world.own.slug}${path}`,
      filters: filters.map(([name, schema]) => ({
        name,
        isOpen: name === 'ordering' || isText(schema),
        value: encodeURIComponent(String(sampleOf(schema, () => named(name)))),
      })),
    }
  })
  // A filter that takes numbers, times or one of a few words refuses everything else before the database hears of it.
  const client = new Client(port)
  const closed = { asked: 0, granted: 0 }
  for (const { path, filters } of addresses)
    for (const { name, isOpen } of filters)
      for (const value of isOpen ? [] : ["1' or '1'='1", '1 or 1=1', '1;select pg_sleep(3)', '1)--']) {
        closed.asked++
        const { status } = await client.json('GET', `${path}?${name}=${encodeURIComponent(value)}`, token)
        if (status !== 400) closed.granted++
      }
  client.close()
  // Others are marked for sqlmap by a star.
  const urls = addresses.flatMap(({ path, filters }) => {
    const marked = filters.map(({ name, isOpen, value }) => (isOpen ? `${name}=${value}*` : '')).filter(Boolean)
    return marked.length === 0 ? [] : [`http://127.0.0.1:${port}${path}?${marked.join('&')}`]
  })
  const run = (name: string, targets: readonly string[], token?: string) =>
    sqlmap({ name, targets, token, directory, signal, progress })
  // It asks one thing after another: two of them use a small machine.
  const halves = await Promise.all(
    [0, 1].map((half) =>
      run(
        `product-${half}`,
        urls.filter((_, n) => n % 2 === half),
        token,
      ),
    ),
  )
  const sum = (of: (half: Pick<SqlReport, 'parameters' | 'injectable' | 'internal'>) => number) =>
    halves.reduce((total, half) => total + of(half), 0)
  const naive = await startInjectableServer(options.directUrl)
  const control = await run('control', [`http://127.0.0.1:${naive.port}/customers/?q=a*&ordering=name*`])
  await naive.close()
  return {
    lists: lists.length,
    closed,
    parameters: sum((half) => half.parameters),
    injectable: sum((half) => half.injectable),
    internal: sum((half) => half.internal),
    controlInjectable: control.injectable,
  }
}

function isText(schema: Schema): boolean {
  const { type, anyOf, enum: values, format, pattern } = schema
  if (Array.isArray(anyOf)) return anyOf.some(isText)
  return (
    type === 'string' &&
    values === undefined &&
    !String(format).startsWith('date') &&
    !/\\d/.test(String(pattern ?? ''))
  )
}

const filtersOf = ({ properties }: { properties: unknown }) =>
  Object.entries(properties as Record<string, Schema>).filter(([name]) => name !== 'limit')

function sampleOf(schema: Schema, id: () => number): unknown {
  const { type, anyOf, items, enum: values, format, pattern } = schema as Schema & { enum?: unknown[]; items?: Schema }
  if (values) return values[0]
  if (Array.isArray(anyOf)) return sampleOf(anyOf[0] as Schema, id)
  if (type === 'array') return sampleOf(items ?? {}, id)
  if (type === 'boolean') return true
  if (type === 'integer' || type === 'number') return id()
  if (format === 'date-time') return '2026-11-22T10:00:00Z'
  if (format === 'date') return '2026-11-22'
  return pattern === undefined ? 'eyJhIjoxfQ' : 'a'
}

async function sqlmap({
  name,
  targets,
  token,
  directory,
  signal,
  progress,
}: Pick<SqlOptions, 'directory' | 'signal' | 'progress'> & {
  name: string
  targets: readonly string[]
  token: string | undefined
}) {
  const output = join(directory, `sqlmap-${name}`)
  mkdirSync(output, { recursive: true })
  const list = join(output, 'targets')
  writeFileSync(list, targets.join('\n'))
  const child = spawn(
    'sqlmap',
    [
      '-m',
      list,
      '--batch',
      '--disable-coloring',
      // The first level does not find the naive one.
      '--level=2',
      '--risk=1',
      '--technique=BE',
      '--dbms=PostgreSQL',
      '--flush-session',
      '--timeout=10',
      '--retries=0',
      `--output-dir=${output}`,
      ...(token === undefined ? [] : [`--headers=Authorization: Bearer ${token}`]),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: output } },
  )
  const stop = () => void child.kill('SIGKILL')
  signal.addEventListener('abort', stop)
  const late = setTimeout(stop, MOST_SECONDS * 1000)
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    const done = /URL (\d+)/.exec(chunk)
    if (done && Number(done[1]) % 10 === 0) progress(`sqlmap at ${done[1]} of ${targets.length} lists`)
  })
  await once(child, 'close')
  clearTimeout(late)
  signal.removeEventListener('abort', stop)
  const results = readdirSync(output).filter((file) => file.endsWith('.csv'))
  const found = results
    .flatMap((file) => readFileSync(join(output, file), 'utf8').trim().split('\n').slice(1))
    .filter((line) => /URI,[^,]+,[A-Z]+/.test(line))
  for (const line of found) progress(`injectable: ${line}`)
  const tried = text.match(/testing for SQL injection on URI parameter/g) ?? []
  const internal = [...text.matchAll(/500 \(Internal Server Error\) - (\d+) times/g)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  )
  return { parameters: tried.length, injectable: found.length, internal }
}
