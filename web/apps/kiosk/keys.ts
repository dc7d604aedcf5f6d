import { useEffect } from 'preact/hooks'
import { currentLanguage } from '../../ui/messages.ts'
import type { Prompter } from './speak.ts'

/** Digits and links that a scanner types, faster than a hand and ended by Enter. */
const SCAN_GAP_MS = 60

const targets = () => [...document.querySelectorAll<HTMLElement>('button:not([disabled])')]

interface Access {
  isAccess: boolean
  voice: Prompter
  /** A headset was plugged in, or the space bar of the tactile keys was pressed: nobody has to see a button for it. */
  onAccess(): void
}
/** The whole machine by ↑, ↓ and OK, each focus said in access mode; and what a scanner types. */
export function useKeys({ isAccess, voice, onAccess }: Access, onScan: (text: string) => void): void {
  useEffect(() => {
    let scanned = ''
    let at = 0
    function pressed(event: KeyboardEvent): void {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
      if (step !== undefined) {
        event.preventDefault()
        const all = targets()
        const here = all.indexOf(document.activeElement as HTMLElement)
        all[(here + step + all.length) % all.length]?.focus()
        return
      }
      if (event.key === ' ' && !isAccess) {
        event.preventDefault()
        onAccess()
        return
      }
      if (event.timeStamp - at > SCAN_GAP_MS) scanned = ''
      at = event.timeStamp
      if (event.key.length === 1) scanned += event.key
      else if (event.key === 'Enter' && scanned.length > 5) {
        event.preventDefault()
        onScan(scanned)
        scanned = ''
      }
    }
    function focused({ target }: FocusEvent): void {
      if (isAccess) void voice.say((target as HTMLElement).innerText, currentLanguage())
    }
    addEventListener('keydown', pressed)
    addEventListener('focusin', focused)
    // Pages without TLS have no such list.
    navigator.mediaDevices?.addEventListener('devicechange', onAccess)
    return () => {
      removeEventListener('keydown', pressed)
      removeEventListener('focusin', focused)
      navigator.mediaDevices?.removeEventListener('devicechange', onAccess)
    }
  }, [isAccess])
}

/** Nothing of a browser shows through: no menu, no dragging, no zoom, no way to another page. */
export function lockDown(): void {
  for (const type of ['contextmenu', 'dragstart', 'gesturestart', 'selectstart'])
    addEventListener(type, (event) => event.preventDefault())
  addEventListener('wheel', (event) => event.ctrlKey && event.preventDefault(), { passive: false })
  addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && ['+', '-', '=', '0', 'p', 's', 'o', 'u'].includes(event.key))
      event.preventDefault()
  })
}
