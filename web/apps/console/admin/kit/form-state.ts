import { createContext, useContext } from 'react'
import type { Api } from './api.ts'
import type { Kind, Values } from './model.ts'

/** What every field of a form knows of it. */
export interface FormContext {
  api: Api
  /** Prefix of ids: two forms may stand on one page. */
  id: string
  noun: string
  values: Values
  faults: ReadonlyMap<string, string>
  /** What somebody else has made of a property meanwhile. */
  others: ReadonlyMap<string, unknown>
  kinds: Readonly<Record<string, Kind>>
  set(path: string, value: unknown): void
}
export const FormState = createContext<FormContext>(undefined as never)
export const useForm = (): FormContext => useContext(FormState)
/** Id of the element that a link to the property leads to. */
export const idOf = (form: string, path: string): string => `${form}${path.replaceAll('/', '-')}`

/** What ties a control to its label, hint and fault. */
export interface Aria {
  id: string
  'aria-invalid': true | undefined
  'aria-describedby': string | undefined
}
