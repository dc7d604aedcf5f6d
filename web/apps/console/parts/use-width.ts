import { useLayoutEffect, useRef, useState, type RefObject } from 'react'

/** How wide an element is, in whole pixels; 0 until it is known. Drawings at that size have letters as large as elsewhere. */
export function useWidth<E extends HTMLElement>(): [box: RefObject<E | null>, width: number] {
  const box = useRef<E>(null)
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)))
    observer.observe(box.current!)
    return () => observer.disconnect()
  }, [])
  return [box, width]
}
