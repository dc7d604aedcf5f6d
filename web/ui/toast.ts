import { t } from './messages.ts'

export interface UndoOffer {
  /** What was done: `A-042 transferred`. */
  text: string
  seconds: number
  onUndo(): void
}

let shown: { element: HTMLElement; timer: ReturnType<typeof setTimeout> } | undefined

/** Instead of asking "are you sure?": the act is done, and can be taken back for some seconds. One offer at a time. */
export function offerUndo({ text, seconds, onUndo }: UndoOffer): void {
  dismissToast()
  const element = document.createElement('div')
  element.className = 'toast'
  element.setAttribute('role', 'status')
  const label = document.createElement('span')
  label.textContent = text
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'button'
  button.textContent = t('ui.undo')
  button.addEventListener('click', () => {
    dismissToast()
    onUndo()
  })
  element.append(label, button)
  document.body.append(element)
  shown = { element, timer: setTimeout(dismissToast, seconds * 1000) }
}

export function dismissToast(): void {
  if (!shown) return
  clearTimeout(shown.timer)
  shown.element.remove()
  shown = undefined
}
