import type { VisitorTicket } from '../../../shared/views.ts'
import type { TicketsChallenge, TicketsMine, TicketsSitePage } from '../../data/operations.ts'

export type Mine = Omit<TicketsMine, 'ticket'> & { ticket: VisitorTicket }
export type SiteData = TicketsSitePage

/** A form refused without scripts, in the reader's language. */
interface Refusable {
  refusal?: string
}
/** What a flood is asked first, and what was chosen. */
export interface Work {
  challenge: TicketsChallenge
  queueId: string
  needs: string[]
  phone: string
}
interface Place {
  tenant: string
  slug: string
}
export interface SiteProps extends Refusable, Place {
  page: 'site'
  site: SiteData
  /** Of the form: a second press shows the same ticket. */
  formKey: string
  /** As it was typed into a form that was refused. */
  phone?: string
  chosen?: number
  needs?: readonly string[]
  /** The form was answered with work to do first; it is sent again with what was found. */
  work?: Work
  /** Live tickets that this browser has taken here. */
  own: { number: string; token: string; code: string }[]
}
export interface TicketProps extends Refusable {
  page: 'ticket'
  token: string
  mine: Mine
  /** The server's clock when the page was written. */
  now: string
  /** What a browser subscribes to notifications with; absent where none are sent. */
  pushKey?: string
  formKey: string
}
export interface FindProps extends Refusable, Place {
  page: 'find'
  name: string
  /** Nothing was found by what was typed. */
  failed: boolean
}
interface ErasedProps extends Place {
  page: 'erased'
}
export type PageProps = SiteProps | TicketProps | FindProps | ErasedProps

/** What a visitor can do with the own ticket; the form's `act`. */
export type Act = 'here' | 'delay' | 'leave' | 'undo' | 'reply' | 'rate' | 'erase' | 'tomorrow' | 'tomorrow_here'
export type Fields = Record<string, string>
