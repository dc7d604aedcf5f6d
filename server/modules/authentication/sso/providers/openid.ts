import { LRUCache } from 'lru-cache'
import * as openid from 'openid-client'
import { AppError } from '../../../../kernel/errors.ts'
import { guardedFetch } from './guarded-fetch.ts'

/** What is needed to speak to an organisation's identity provider. */
export interface Client {
  issuer: string
  client_id: string
  client_secret: string
  scope: string
}
/** What the browser keeps until it comes back. */
export interface Flow {
  state: string
  nonce: string
  verifier: string
}
/** What a provider says of a person. */
export interface Claims {
  sub: string
  email?: unknown
  email_verified?: unknown
  name?: unknown
  [claim: string]: unknown
}

/** A provider's description and keys are asked for again after this. */
const known = new LRUCache<string, openid.Configuration>({ max: 200, ttl: 10 * 60_000 })

async function configurationOf(client: Client, isDevelopment: boolean): Promise<openid.Configuration> {
  const { issuer, client_id, client_secret } = client
  const key = JSON.stringify([issuer, client_id, client_secret])
  let configuration = known.get(key)
  if (!configuration) {
    configuration = await openid.discovery(new URL(issuer), client_id, client_secret, undefined, {
      [openid.customFetch]: guardedFetch(isDevelopment) as openid.CustomFetch,
      // The signature of what it says of people is checked, whatever way it came.
      execute: [openid.enableNonRepudiationChecks, ...(isDevelopment ? [openid.allowInsecureRequests] : [])],
      timeout: 10,
    })
    known.set(key, configuration)
  }
  return configuration
}

const refused = (cause: unknown) => new AppError('unauthorized', 'sso_refused', { cause })

/**
 * Where the browser has to go, and what it has to bring back.
 * @throws AppError unavailable `sso_unavailable` when the provider does not answer as one
 */
export async function authorizationUrl(
  client: Client,
  callback: string,
  isDevelopment: boolean,
): Promise<{ url: string; flow: Flow }> {
  const configuration = await configurationOf(client, isDevelopment).catch((cause: unknown) => {
    throw new AppError('unavailable', 'sso_unavailable', { cause })
  })
  const flow = { state: openid.randomState(), nonce: openid.randomNonce(), verifier: openid.randomPKCECodeVerifier() }
  const url = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: callback,
    scope: client.scope,
    state: flow.state,
    nonce: flow.nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(flow.verifier),
    code_challenge_method: 'S256',
  })
  return { url: url.href, flow }
}

/**
 * What the provider says of whoever comes back (OpenID Connect Core 1.0 §3.1: state, code with PKCE, signature, issuer,
 * audience, times, nonce).
 * @param returned the address the browser came back to, with the provider's parameters
 * @throws AppError unauthorized `sso_refused`
 */
export async function claimsOf(
  client: Client,
  returned: URL,
  { state, nonce, verifier }: Flow,
  isDevelopment: boolean,
): Promise<Claims> {
  try {
    const configuration = await configurationOf(client, isDevelopment)
    const tokens = await openid.authorizationCodeGrant(configuration, returned, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    })
    const claims = tokens.claims()!
    const hasMore = configuration.serverMetadata().userinfo_endpoint !== undefined
    const more = hasMore ? await openid.fetchUserInfo(configuration, tokens.access_token, claims.sub) : {}
    return { ...more, ...claims }
  } catch (cause) {
    throw refused(cause)
  }
}
