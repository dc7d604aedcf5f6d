interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(text: string): string },
  ): { createScriptURL(text: string): string }
}
const ADDRESS = '/t/sw.js'

/** The one address that the page's policy lets become a script: the worker that shows the ticket without a network. */
export function registerWorker(): void {
  if (!('serviceWorker' in navigator)) return
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  const policy = trustedTypes?.createPolicy('smartqueue-worker', {
    createScriptURL(text) {
      if (text !== ADDRESS) throw new TypeError('no other worker')
      return text
    },
  })
  navigator.serviceWorker.register(policy ? policy.createScriptURL(ADDRESS) : ADDRESS, { scope: '/t/' }).catch(() => {})
}
