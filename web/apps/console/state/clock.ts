import { useSyncExternalStore } from 'react'

let ahead = 0
/** The server's clock counts: a desk's own may be minutes off. */
export function setServerClock(serverMs: number): void {
  ahead = serverMs - Date.now()
}
/** Milliseconds since 1970 by the server's clock. */
export const serverNow = (): number => Date.now() + ahead
export const iso = (): string => new Date(serverNow()).toISOString()

/** One beat for every running figure of the screen. */
const listeners = new Set<() => void>()
let beat: ReturnType<typeof setInterval> | undefined
let second = 0
function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  beat ??= setInterval(() => {
    second = Math.floor(serverNow() / 1000)
    for (const each of listeners) each()
  }, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(beat)
    beat = undefined
  }
}

/** The present moment in whole seconds of the server's clock, once a second. */
export function useSecond(): number {
  return useSyncExternalStore(subscribe, () => second || (second = Math.floor(serverNow() / 1000)))
}
