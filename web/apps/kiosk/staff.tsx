import { useEffect, useState } from 'preact/hooks'
import { t } from '../../ui/messages.ts'
import type { Machine } from './machine.ts'
import type { Settings } from './taken.ts'

interface Props {
  machine: Machine
  settings: Settings
  onDone(): void
}
/** For who looks after the machine: nothing here can harm it, and nothing is told of anybody. */
export function Staff({ machine, settings, onDone }: Props) {
  const [paper, setPaper] = useState(machine.paper)
  const [isStuck, setStuck] = useState(machine.isPrinterStuck)
  const [untold, setUntold] = useState(0)
  const hasWire = settings.prints === true && settings.printer !== undefined && settings.printer !== 'browser'
  const refresh = () => {
    setPaper(machine.paper)
    setStuck(machine.isPrinterStuck)
  }
  useEffect(() => void machine.untold().then(setUntold), [])
  async function tell(next: Machine['paper']): Promise<void> {
    machine.paper = next
    setPaper(next)
    await machine.beat().catch(() => {})
    refresh()
  }
  async function choose(): Promise<void> {
    // Nothing chosen is an answer too.
    await machine
      .printer()
      .then((printer) => printer?.choose())
      .catch(() => {})
    await machine.beat().catch(() => {})
    refresh()
  }
  return (
    <>
      <header class="top">
        <h1 class="title">{t('kiosk.staff')}</h1>
        {hasWire && (
          <p data-printer={isStuck ? 'error' : 'ok'}>{t(isStuck ? 'kiosk.printer_lost' : 'kiosk.printer_ok')}</p>
        )}
        {untold > 0 && <p data-untold={untold}>{t('kiosk.untold', { count: untold })}</p>}
      </header>
      <div class="choices">
        <button
          type="button"
          class="button"
          data-paper={paper}
          onClick={() => void tell(paper === 'out' ? 'ok' : 'out')}
        >
          {t(paper === 'out' ? 'kiosk.paper_new' : 'kiosk.paper_out')}
        </button>
        {hasWire && (
          <button type="button" class="button" data-choose onClick={() => void choose()}>
            {t('kiosk.printer_choose')}
          </button>
        )}
        <button type="button" class="button" onClick={() => void machine.print(null).then(refresh)}>
          {t('kiosk.test')}
        </button>
        <button type="button" class="button bare" onClick={onDone}>
          {t('kiosk.back')}
        </button>
      </div>
    </>
  )
}
