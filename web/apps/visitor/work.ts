import { solveChallenge } from 'altcha-lib/v1'
import type { Work } from './data.ts'

/**
 * Does the work that the server asks of a flood, a second or two of a phone, and sends the same form once more. Only
 * secure pages can hash: elsewhere the refusal stands as it is.
 */
export async function sendAgain({ challenge: given, queueId, needs }: Work): Promise<void> {
  if (!isSecureContext) return
  const { challenge, salt, algorithm, maxnumber } = given
  const found = await solveChallenge(challenge, salt, algorithm, maxnumber).promise
  if (!found) return
  const form = document.querySelector<HTMLFormElement>('form.take')!
  const chosen = new Set([queueId, ...needs])
  for (const input of form.querySelectorAll('input')) if (chosen.has(input.value)) input.checked = true
  const solution = btoa(JSON.stringify({ ...given, number: found.number }))
  form.append(Object.assign(document.createElement('input'), { type: 'hidden', name: 'solution', value: solution }))
  form.requestSubmit()
}
