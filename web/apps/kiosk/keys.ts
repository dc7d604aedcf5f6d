import { useEffect } from 'preact/hooks'
import { currentLanguage } from '../../ui/messages.ts'
import { speak } from './speak.ts'

/** Digits and links that a scanner types, faster than a hand and ended by Enter. */
const SCAN_GAP_MS = 60

const targets = () => [...document.querySelectorAll<HTMLElement>('button:not([disabled])')]

/** The whole machine by ↑, ↓ and OK, each focus said in access mode; and what a scanner types. */
export function useKeys(isAccess: boolean, onScan: (text: string) => void): void {
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
      if (isAccess) speak((target as HTMLElement).innerText, currentLanguage())
    }
    addEventListener('keydown', pressed)
    addEventListener('focusin', focused)
    return () => {
      removeEventListener('keydown', pressed)
      removeEventListener('focusin', focused)
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
