import { useState } from 'preact/hooks'
import { t } from '../../ui/messages.ts'
import type { Machine, Paper } from './machine.ts'

/** For who looks after the machine: nothing here can harm it, and nothing is told of anybody. */
export function Staff({ machine, onDone }: { machine: Machine; onDone(): void }) {
  const [paper, setPaper] = useState(machine.paper)
  async function tell(next: Paper): Promise<void> {
    machine.paper = next
    setPaper(next)
    await machine.beat().catch(() => {})
  }
  return (
    <>
      <header class="top">
        <h1 class="title">{t('kiosk.staff')}</h1>
      </header>
      <div class="choices">
        <button
          type="button"
          class="button"
          data-paper={paper}
          onClick={() => void tell(paper === 'ok' ? 'out' : 'ok')}
        >
          {t(paper === 'ok' ? 'kiosk.paper_out' : 'kiosk.paper_new')}
        </button>
        <button type="button" class="button" onClick={() => print()}>
          {t('kiosk.test')}
        </button>
        <button type="button" class="button bare" onClick={onDone}>
          {t('kiosk.back')}
        </button>
      </div>
    </>
  )
}
