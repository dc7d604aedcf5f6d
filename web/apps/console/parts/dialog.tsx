import { useEffect, useId, useRef, type ReactNode } from 'react'
import { t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'

/** A sheet over the desk: keeps the focus, closes with Escape or beside it, and gives the focus back. */
export function Dialog({
  title,
  name,
  onClose,
  children,
}: {
  title: string
  name: string
  onClose(): void
  children: ReactNode
}) {
  const element = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null
    element.current?.showModal()
    element.current?.querySelector<HTMLElement>('input:not([type=checkbox])')?.focus()
    return () => before?.focus()
  }, [])
  return (
    <dialog
      ref={element}
      className="sheet"
      data-sheet={name}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose()
      }}
    >
      <div className="sheet-body">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" className="button" data-kind="quiet" aria-label={t('ui.close')} onClick={onClose}>
            <Icon name="cross" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
