import { useEffect, useState } from 'preact/hooks'

/** What is left once people are asked whether they are still there (WCAG 2.2.1: 20 s at least). */
const WARNING_SECONDS = 20
const DEFAULT_SECONDS = 60

/**
 * Counts the seconds in which nobody touches anything. The answer is null, or how many are left of the warning;
 * `onOver` comes after the last. Any touch or key begins anew, as often as one likes.
 */
export function useIdle(isActive: boolean, idleSeconds: number | undefined, onOver: () => void): number | null {
  const [idle, setIdle] = useState(0)
  useEffect(() => {
    setIdle(0)
    if (!isActive) return
    const touched = () => setIdle(0)
    const timer = setInterval(() => setIdle((seconds) => seconds + 1), 1000)
    addEventListener('pointerdown', touched)
    addEventListener('keydown', touched)
    return () => {
      clearInterval(timer)
      removeEventListener('pointerdown', touched)
      removeEventListener('keydown', touched)
    }
  }, [isActive])
  const left = (idleSeconds ?? DEFAULT_SECONDS) + WARNING_SECONDS - idle
  useEffect(() => {
    if (isActive && left <= 0) onOver()
  }, [isActive, left])
  return isActive && left <= WARNING_SECONDS ? Math.max(0, left) : null
}
