import type { Language } from '../../../../shared/format.ts'
import { call } from '../../../data/api.ts'
import {
  agentsList,
  countersList,
  queuesList,
  servicesList,
  sitesGet,
  type AgentsGet,
  type CountersGet,
  type QueuesGet,
  type ServicesGet,
  type SitesGet,
} from '../../../data/operations.ts'

/** What does not change from ticket to ticket. */
export interface Catalogue {
  site: SitesGet
  queues: Map<number, QueuesGet>
  services: Map<number, ServicesGet>
  counters: CountersGet[]
  agents: AgentsGet[]
}
const byId = <Row extends { id: number }>(rows: readonly Row[]) => new Map(rows.map((row) => [row.id, row]))

export async function loadCatalogue(tenant: string, siteId: number): Promise<Catalogue> {
  const every = { tenant, limit: 200 }
  const [site, queues, services, counters, agents] = await Promise.all([
    call(sitesGet, { tenant, id: siteId }),
    call(queuesList, { ...every, site: siteId }),
    call(servicesList, every),
    call(countersList, { ...every, site: siteId, is_active: true, ordering: 'name' }),
    call(agentsList, { ...every, site: siteId, is_active: true, ordering: 'name' }),
  ])
  const byName = new Intl.Collator(undefined, { numeric: true })
  return {
    site,
    queues: byId(queues.results),
    services: byId(services.results),
    counters: counters.results.toSorted((a, b) => byName.compare(a.name, b.name)),
    agents: agents.results,
  }
}

/** The service's name in the reader's language, else as its organisation calls it. */
export function serviceName({ queues, services }: Catalogue, queueId: number, language: Language): string {
  const queue = queues.get(queueId)
  const service = queue && services.get(queue.service_id)
  return service?.names[language] ?? service?.name ?? queue?.name ?? ''
}
/** Letter of the line. */
export const lineCode = ({ queues, services }: Catalogue, queueId: number): string => {
  const queue = queues.get(queueId)
  return (queue && services.get(queue.service_id)?.code) ?? ''
}
