import type {
  AppointmentsBookingPage,
  AppointmentsMine,
  TicketsChallenge,
  WaitingListMine,
} from '../../data/operations.ts'
import type { Month } from '../../../shared/booking.ts'

export type Place = AppointmentsBookingPage
/** A form refused, in the reader's language; `fields` by name. */
interface Refusable {
  refusal?: string
  fields?: Record<string, string>
  /** The times are to be looked at again. */
  isAboutTime?: boolean
}
export type Field = 'name' | 'phone' | 'email' | 'party_size' | 'note'
export interface BookProps extends Refusable, Partial<Month> {
  page: 'book'
  tenant: string
  slug: string
  place: Place
  service_id?: number
  form: Record<Field, string>
  /** The time of the form that was refused. */
  chosen?: string
  /** A second press shows the same appointment. */
  formKey: string
  /** The form was answered with work to do first; it is sent again with what was found. */
  challenge?: TicketsChallenge
  /** It was the form of the waiting list. */
  waits?: boolean
}
export interface MineProps extends Refusable {
  page: 'mine'
  tenant: string
  token: string
  mine: AppointmentsMine
  now: string
  formKey: string
}
export interface MoveProps extends Refusable, Month {
  page: 'move'
  tenant: string
  token: string
  mine: AppointmentsMine
  place: Place
  formKey: string
}
export interface WaitingProps extends Refusable {
  page: 'waiting'
  token: string
  waiter: WaitingListMine
}
export type PageProps = BookProps | MineProps | MoveProps | WaitingProps
