import { listen } from './keys/listen.ts'
import type { Meaning } from './keys/resolve.ts'
import { Store } from '../state/store.ts'

interface PictureInPicture {
  requestWindow(options: { width: number; height: number }): Promise<Window>
}
const api = (): PictureInPicture | undefined =>
  (globalThis as { documentPictureInPicture?: PictureInPicture }).documentPictureInPicture

/** Chromium on a desk has it. */
export const isMiniPossible = (): boolean => api() !== undefined

/** Where the small window shows what it shows; null while it is closed. */
export const miniWindow = new Store<{ root: HTMLElement | null }>({ root: null })

/** A small window above the organisation's own programs: number, timer and the keys that matter. */
export async function openMini(onMeaning: (meaning: Meaning) => void): Promise<void> {
  const small = await api()?.requestWindow({ width: 340, height: 240 })
  if (!small) return
  const { documentElement } = small.document
  for (const name of ['lang', 'dir', 'data-theme', 'data-density'])
    documentElement.setAttribute(name, document.documentElement.getAttribute(name) ?? '')
  small.document.title = document.title
  for (const link of document.querySelectorAll('link[rel="stylesheet"]'))
    small.document.head.append(small.document.importNode(link, true))
  const body = small.document.createElement('div')
  small.document.body.append(body)
  const stop = listen(small, onMeaning, () => false)
  small.addEventListener('pagehide', () => {
    stop()
    miniWindow.set({ root: null })
  })
  miniWindow.set({ root: body })
}
