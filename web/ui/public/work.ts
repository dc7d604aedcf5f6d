import { solveChallenge } from 'altcha-lib/v1'
import type { TicketsChallenge } from '../../data/operations.ts'

/**
 * Does the work that the server asks of a flood, a second or two of a phone, and sends the form once more. Only secure
 * pages can hash: elsewhere the refusal stands as it is.
 */
export async function sendAgain(given: TicketsChallenge, form: HTMLFormElement): Promise<void> {
  if (!isSecureContext) return
  const { challenge, salt, algorithm, maxnumber } = given
  const found = await solveChallenge(challenge, salt, algorithm, maxnumber).promise
  if (!found) return
  const solution = btoa(JSON.stringify({ ...given, number: found.number }))
  form.append(Object.assign(document.createElement('input'), { type: 'hidden', name: 'solution', value: solution }))
  form.requestSubmit()
}
