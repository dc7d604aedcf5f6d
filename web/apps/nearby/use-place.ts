import { useEffect, useState } from 'preact/hooks'
import { headingOf, type Held, type Point } from './geo.ts'

type Found = Point | 'asked' | 'refused' | undefined

/** Where the phone is, from the moment somebody asks for it. */
export function usePlace(): { place: Found; find(): void } {
  const [place, setPlace] = useState<Found>()
  const [isAsked, setAsked] = useState(false)
  useEffect(() => {
    if (!isAsked) return
    const watch = navigator.geolocation.watchPosition(
      ({ coords: { latitude, longitude } }) => setPlace({ latitude, longitude }),
      // One that was found stays good: walls come between.
      () => setPlace((known) => (typeof known === 'object' ? known : 'refused')),
      { enableHighAccuracy: true, timeout: 20_000, maximumAge: 30_000 },
    )
    return () => navigator.geolocation.clearWatch(watch)
  }, [isAsked])
  return {
    place,
    find() {
      setPlace('asked')
      setAsked(true)
    },
  }
}

interface Asking {
  requestPermission?(): Promise<'granted' | 'denied'>
}
/** A phone without a compass says nothing at all; one that says something later is believed. */
const SILENCE_MS = 3000

/** Where the phone points, from the moment somebody asks: an iPhone wants a touch first. */
export function useCompass(): { heading: number | undefined; state: 'off' | 'asked' | 'on' | 'none'; start(): void } {
  const [state, setState] = useState<'off' | 'asked' | 'on' | 'none'>('off')
  const [heading, setHeading] = useState<number>()
  useEffect(() => {
    if (state === 'off') return
    function turned(event: Event): void {
      const held = event as DeviceOrientationEvent & Held
      // One that is not of the earth points anywhere.
      if (event.type === 'deviceorientation' && held.webkitCompassHeading === undefined && !held.absolute) return
      const next = headingOf(held)
      if (next === undefined) return
      setHeading(Math.round(next))
      setState('on')
    }
    addEventListener('deviceorientationabsolute', turned)
    addEventListener('deviceorientation', turned)
    const silence = setTimeout(() => setState((now) => (now === 'asked' ? 'none' : now)), SILENCE_MS)
    return () => {
      removeEventListener('deviceorientationabsolute', turned)
      removeEventListener('deviceorientation', turned)
      clearTimeout(silence)
    }
  }, [state === 'off'])
  return {
    heading,
    state,
    start() {
      const asking = (globalThis as { DeviceOrientationEvent?: Asking }).DeviceOrientationEvent
      if (!asking?.requestPermission) return setState('asked')
      asking.requestPermission().then(
        (answer) => setState(answer === 'granted' ? 'asked' : 'none'),
        () => setState('none'),
      )
    },
  }
}
