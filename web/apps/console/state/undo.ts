import { dismissToast, offerUndo } from '../../../ui/toast.ts'

interface Done {
  text: string
  until: number
  undo(): Promise<void>
}
/** How long the offer stays in sight; the key works for as long as the server agrees. */
const SHOWN_SECONDS = 8

/** What can be taken back, latest first. */
export class UndoStack {
  #done: Done[] = []

  /** @param seconds how long the server takes it back */
  push(text: string, seconds: number, undo: () => Promise<void>): void {
    const done: Done = { text, until: Date.now() + seconds * 1000, undo }
    this.#done = [...this.#done.slice(-19), done]
    offerUndo({
      text,
      seconds: SHOWN_SECONDS,
      onUndo: () => {
        this.#done = this.#done.filter((each) => each !== done)
        void done.undo()
      },
    })
  }
  /** Takes the last act back; false when there is nothing the server would still take back. */
  pop(): boolean {
    dismissToast()
    const done = this.#done.pop()
    if (!done || done.until < Date.now()) return false
    void done.undo()
    return true
  }
}
