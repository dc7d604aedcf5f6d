import { useEffect, useState } from 'react'
import {
  agentsList,
  countersList,
  displaysList,
  kiosksList,
  mediaList,
  playlistsList,
  queuesList,
  servicesList,
  sitesList,
  usersList,
  workProfilesList,
} from '../../../../data/operations.ts'
import type { AnyOperation, Api, Row } from './api.ts'

const LISTS: Record<string, AnyOperation> = {
  site: sitesList,
  service: servicesList,
  queue: queuesList,
  counter: countersList,
  user: usersList,
  agent: agentsList,
  display: displaysList,
  kiosk: kiosksList,
  playlist: playlistsList,
  media: mediaList,
  work_profile: workProfilesList,
}

export interface Option {
  id: number
  label: string
  site: number | null
}
/** One answer a noun and organisation is enough until something of the noun changes. */
const kept = new Map<string, Promise<Option[]>>()

export function forgetOptions(): void {
  kept.clear()
}

async function load(api: Api, noun: string): Promise<Option[]> {
  const rows = await api.all<Row & { name: string; code?: string; site_id?: number }>(LISTS[noun]!)
  const sites = noun === 'site' || noun === 'user' || noun === 'service' ? [] : await optionsOf(api, 'site')
  const place = new Map(sites.map(({ id, label }) => [id, label]))
  return rows.map(({ id, name, code, site_id }) => {
    const where = sites.length > 1 && site_id ? ` · ${place.get(site_id) ?? ''}` : ''
    return { id, label: `${code ? `${code} · ` : ''}${name}${where}`, site: site_id ?? null }
  })
}
function optionsOf(api: Api, noun: string): Promise<Option[]> {
  const key = `${api.tenant} ${noun}`
  if (!kept.has(key)) {
    const loading = load(api, noun)
    kept.set(key, loading)
    loading.catch(() => kept.delete(key))
  }
  return kept.get(key)!
}

/** What a reference may name; undefined while it is not known. */
export function useOptions(api: Api, noun: string): Option[] | undefined {
  const [options, setOptions] = useState<Option[]>()
  useEffect(() => {
    let isWanted = true
    if (noun)
      optionsOf(api, noun).then(
        (found) => isWanted && setOptions(found),
        () => isWanted && setOptions([]),
      )
    return () => void (isWanted = false)
  }, [api, noun])
  return options
}
