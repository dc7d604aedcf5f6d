/**
 * People who sign in, in a process of their own: each asks, reads the answer and asks again. Most are turned away at the
 * door, as they should be. Controlled by messages from `sign-in.ts`: a port begins, `stop` ends.
 */
import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

export interface CrowdOrder {
  port: number
  people: number
  /** A person who was answered looks at the message before trying again. */
  pauseMs: number
}
export interface CrowdResult {
  attempts: number
  /** Passwords that were held against a hash. */
  checked: number
}

const agent = new Agent({ keepAlive: true })
let isOver = false

function signIn(port: number, email: string): Promise<number> {
  const body = JSON.stringify({ email, password: 'not the password' })
  return new Promise((resolve, reject) => {
    const asked = request({
      port,
      host: '127.0.0.1',
      agent,
      method: 'POST',
      path: '/api/v1/auth/token/',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    })
    asked.on('response', (answer) => answer.on('end', () => resolve(answer.statusCode!)).resume())
    asked.on('error', reject)
    asked.end(body)
  })
}

async function crowd({ port, people, pauseMs }: CrowdOrder): Promise<CrowdResult> {
  const result = { attempts: 0, checked: 0 }
  const person = async (n: number) => {
    while (!isOver) {
      const status = await signIn(port, `nobody${n}-${result.attempts++}@bench.example`)
      if (status === 401) result.checked++
      await delay(pauseMs)
    }
  }
  await Promise.all(Array.from({ length: people }, (_, n) => person(n)))
  return result
}

process.on('message', (order: CrowdOrder | 'stop') => {
  if (order === 'stop') isOver = true
  else void crowd(order).then((result) => process.send!(result, () => process.exit()))
})
process.on('disconnect', () => process.exit())
