import type { ArAnchor, ArNearby, TicketsSitePage } from '../../data/operations.ts'

/** A branch with its lines as they are now; distance and place where they are known. */
export type Branch = Pick<ArNearby['results'][number], 'site' | 'is_open' | 'opens_at' | 'closes_at' | 'lines'> & {
  latitude?: number
  longitude?: number
  distance_metres?: number
}
export interface NearbyProps {
  page: 'nearby'
  tenant: string
  name: string
  /** Every branch, by name: what is there before, and without, scripts and places. */
  branches: Omit<TicketsSitePage, 'tenant_name' | 'now' | 'reason'>[]
}
export interface SignProps extends ArAnchor {
  page: 'sign'
  tenant: string
  name: string
}
export type PageProps = NearbyProps | SignProps
