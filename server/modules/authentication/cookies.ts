/** Cookies that answers set. `session` signs in to the console, `sso` waits for the browser to come back. */
export type CookieName = 'session' | 'sso'
export interface Cookie {
  name: CookieName
  value: string
}

/** Kept beside the answers: nothing that writes an answer can write its cookie by mistake. */
const cookies = new WeakMap<object, Cookie>()

/** @returns the answer itself */
export function keepCookie<Answer extends object>(answer: Answer, name: CookieName, value: string): Answer {
  cookies.set(answer, { name, value })
  return answer
}
export const cookieOf = (answer: unknown): Cookie | undefined =>
  answer !== null && typeof answer === 'object' ? cookies.get(answer) : undefined
