import { useLayoutEffect, useState, type RefObject } from 'react'

/** Rows drawn beyond each edge, so that a quick turn of the wheel shows no gap. */
const SPARE = 10

/** Which rows of a long list are in sight. */
export function useWindow(scroller: RefObject<HTMLElement | null>, count: number, rowHeight: number) {
  const [range, setRange] = useState({ top: 0, height: 600 })
  useLayoutEffect(() => {
    const element = scroller.current!
    const measure = () => setRange((last) => ({ ...last, height: element.clientHeight }))
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [scroller])
  const from = Math.max(0, Math.min(count - 1, Math.floor(range.top / rowHeight) - SPARE))
  const to = Math.min(count, Math.ceil((range.top + range.height) / rowHeight) + SPARE)
  const onScroll = () => {
    const top = scroller.current!.scrollTop
    // A few rows at a time.
    if (Math.abs(top - range.top) > (SPARE / 2) * rowHeight || top === 0) setRange((last) => ({ ...last, top }))
  }
  return { from, to, onScroll }
}
