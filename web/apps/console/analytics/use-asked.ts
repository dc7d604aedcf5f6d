import { useEffect, useState } from 'react'
import { problemText } from '../shell/shell.ts'

/** What is there of an answer: the last one, and whether a newer one is awaited. */
export interface Asked<Value> {
  value: Value | undefined
  problem: string
  isAwaited: boolean
}
interface Found {
  key: string
  value?: unknown
  problem?: string
}

/**
 * Several questions at once, each answered by itself; what was found before stays meanwhile.
 * @param key changes with what is asked
 */
export function useAsked<Asks extends Record<string, Promise<unknown>>>(ask: () => Asks, key: string) {
  const [all, setAll] = useState<Record<string, Found>>({})
  useEffect(() => {
    let isWanted = true
    const put = (name: string, found: Omit<Found, 'key'>) =>
      isWanted && setAll((before) => ({ ...before, [name]: { ...found, key } }))
    for (const [name, asked] of Object.entries(ask()))
      asked.then(
        (value) => put(name, { value }),
        (error: unknown) => put(name, { problem: problemText(error) }),
      )
    return () => void (isWanted = false)
    // oxlint-disable-next-line react/exhaustive-deps -- `key` says what is asked
  }, [key])
  return <Name extends keyof Asks & string>(name: Name): Asked<Awaited<Asks[Name]>> => {
    const found = all[name]
    return {
      value: found?.value as Awaited<Asks[Name]> | undefined,
      problem: found?.problem ?? '',
      isAwaited: found?.key !== key,
    }
  }
}
