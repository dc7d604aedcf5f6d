import { sendAgain } from '../../ui/public/work.ts'
import type { Work } from './data.ts'

/** Sends the form that was answered with work to do, with what was chosen in it. */
export function takeAgain({ challenge, queueId, needs, phone }: Work): Promise<void> {
  const form = document.querySelector<HTMLFormElement>('form.take')!
  const chosen = new Set([queueId, ...needs])
  for (const input of form.querySelectorAll('input')) if (chosen.has(input.value)) input.checked = true
  form.querySelector<HTMLInputElement>('[name=phone]')!.value = phone
  return sendAgain(challenge, form)
}
