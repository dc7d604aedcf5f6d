import { globSync, readFileSync } from 'node:fs'
import { TRANSITIONS } from '../server/modules/tickets/index.ts'
import { CATALOGUE } from '../server/modules/webhooks/index.ts'

const CATALOGUE_FILE = 'server/modules/webhooks/catalogue.ts'
/** Types whose last part is put together where they are written. */
const COMPOSED = ['appointment.', 'device.', 'message.', 'ticket.tomorrow_', 'webhook.']

const sources = () =>
  globSync('server/**/*.ts', { exclude: (path) => path.endsWith('.test.ts') || path.endsWith('catalogue.ts') })
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')

/** Types of events that the code writes and the catalogue does not hold, and the other way round, one line each. */
export function unlistedEvents(text = sources(), known: Readonly<Record<string, unknown>> = CATALOGUE): string[] {
  const written = new Set<string>(Object.values(TRANSITIONS).map(({ event }) => event))
  for (const [, type] of text.matchAll(/\b(?:type|event): '([a-z_]+\.[a-z_]+)'/g)) written.add(type!)
  for (const [, noun] of text.matchAll(/\bsingular: '([a-z_]+)'/g))
    for (const verb of ['created', 'updated', 'deleted']) written.add(`${noun}.${verb}`)
  const composed = [...text.matchAll(/\btype: `([a-z_]+\.[a-z_]*)\$\{/g)].map(([, beginning]) => beginning!)
  const isWritten = (type: string) => written.has(type) || COMPOSED.some((beginning) => type.startsWith(beginning))
  return [
    ...[...written].filter((type) => !(type in known)).map((type) => `${type} is not in ${CATALOGUE_FILE}`),
    ...[...new Set(composed)]
      .filter((beginning) => !COMPOSED.includes(beginning))
      .map(
        (beginning) => `${beginning}… is put together: say in scripts/event-types.ts that it is, and list its types`,
      ),
    ...Object.keys(known)
      .filter((type) => !isWritten(type))
      .map((type) => `${type} is in ${CATALOGUE_FILE}, and nothing writes it`),
  ]
}
