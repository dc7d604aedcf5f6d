/** What an operation tells of its change: rows before and after it, null where there is none. */
export interface Change {
  before: object | null
  after: object | null
  /** The rows are about a person: only the names of the changed fields are kept. */
  isPersonal?: boolean
}
