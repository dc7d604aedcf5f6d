import type { KiosksGet, TicketsMine } from '../../data/operations.ts'

export type Settings = KiosksGet['settings']
/** A ticket as it is shown and printed here. */
export interface Taken {
  number: string
  /** Of the visitor's own page. */
  url: string
  check: string
  takenAt: string
  lowSeconds: number | null
  highSeconds: number | null
  code: string
  name: string
  names: TicketsMine['service_names']
  house: string
  site: string
  timezone: string
  /** Given without a network: the server hears of it later. */
  isOffline: boolean
}
