interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(text: string): string },
  ): { createScriptURL(text: string): string }
}

/**
 * Lets the one address that the page's policy knows become a script: the worker that shows the page without a network.
 * @param address of the worker, as the server has it
 * @param scope pages it stands behind
 */
export function registerWorker(address: string, scope: string): void {
  if (!('serviceWorker' in navigator)) return
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  const policy = trustedTypes?.createPolicy('smartqueue-worker', {
    createScriptURL(text) {
      if (text !== address) throw new TypeError('no other worker')
      return text
    },
  })
  navigator.serviceWorker.register(policy ? policy.createScriptURL(address) : address, { scope }).catch(() => {})
}
