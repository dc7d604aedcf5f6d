import { hostname } from 'node:os'
import { apiKeysCreate, authToken, sitesList, tenantsGet } from '../../../../sdk/src/index.ts'
import { SCOPES } from '../../../kernel/access.ts'
import { ask } from '../administration.ts'
import { print } from '../output.ts'
import { clientOf, keepCredentials, type Kept } from './credentials.ts'

export interface LoginFlags extends Kept {
  baseUrl: string
  tenant: string
  key?: string
  email?: string
  password?: string
}

/** Keeps an API key for the other commands: one that is given, or one that an administrator's sign-in makes. */
export async function login({ baseUrl: base_url, tenant, ...flags }: LoginFlags): Promise<void> {
  const key = flags.email ? await keyOf(base_url, tenant, flags) : (flags.key ?? (await ask('API key: ', true)))
  // A key that opens nothing is not kept.
  await clientOf({ base_url, tenant, key }).call(sitesList, { limit: 1 })
  print(`logged in to ${tenant} at ${base_url}; the key is in ${keepCredentials(flags, { base_url, tenant, key })}`)
}

async function keyOf(
  base_url: string,
  tenant: string,
  { email, password }: Pick<LoginFlags, 'email' | 'password'>,
): Promise<string> {
  const at = (token: string) => clientOf({ base_url, tenant, key: token })
  const signedIn = await at('').call(authToken, {
    email: email!,
    password: password ?? (await ask('Password: ', true)),
    tenant,
  })
  const client = at(signedIn.access)
  const { is_sandbox } = await client.call(tenantsGet, {})
  const { key } = await client.call(apiKeysCreate, {
    name: `Command line on ${hostname()}`.slice(0, 200),
    mode: is_sandbox ? 'test' : 'live',
    scopes: [...SCOPES],
  })
  return key
}
