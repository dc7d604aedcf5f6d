import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { SmartQueue } from '../../../../sdk/src/index.ts'

/** What `login` leaves for the other commands; readable by its owner alone. */
export interface Credentials {
  base_url: string
  tenant: string
  key: string
  /** Signs what `listen` forwards. */
  webhook_secret: string
}
export interface Kept {
  /** Where the file is; default in the user's own directory. */
  credentials?: string
}
const fileOf = ({ credentials }: Kept) => credentials ?? join(homedir(), '.config', 'smartqueue', 'credentials.json')

export function keepCredentials(kept: Kept, given: Omit<Credentials, 'webhook_secret'>): string {
  const file = fileOf(kept)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const whole: Credentials = { ...given, webhook_secret: `whsec_${randomBytes(32).toString('base64')}` }
  writeFileSync(file, `${JSON.stringify(whole, null, 2)}\n`, { mode: 0o600 })
  // A file that was there before keeps its mode.
  chmodSync(file, 0o600)
  return file
}

/** @throws Error when nobody has logged in */
export function connect(kept: Kept): Credentials & { client: SmartQueue } {
  let text: string
  try {
    text = readFileSync(fileOf(kept), 'utf8')
  } catch (cause) {
    throw new Error('log in first: smartqueue login', { cause })
  }
  const known = JSON.parse(text) as Credentials
  return { ...known, client: clientOf(known) }
}

export const clientOf = ({ base_url, tenant, key }: Pick<Credentials, 'base_url' | 'tenant' | 'key'>): SmartQueue =>
  new SmartQueue({ baseUrl: base_url, tenant, token: key })
