/** A message in plain text: nothing in it is executed, loaded or tracked. */
export interface Mail {
  to: string
  subject: string
  text: string
}
