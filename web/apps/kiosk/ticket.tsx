import { useEffect, useState } from 'preact/hooks'
import { clockTime, waitRange } from '../../ui/format.ts'
import { currentLanguage, t } from '../../ui/messages.ts'
import { LineBadge, TicketNumber } from '../../ui/parts/preact.ts'
import { QrCode } from '../../ui/parts/qr.tsx'
import type { Machine } from './machine.ts'
import type { Settings, Taken } from './taken.ts'

interface Props {
  taken: Taken
  settings: Settings
  machine: Machine
  onDone(): void
}
/** The number, on the screen, on paper and on the phone: the same ticket. What is printed is this page by its print style. */
export function Ticket({ taken, settings, machine, onDone }: Props) {
  const prints = settings.prints === true
  const [isOnPaper, setOnPaper] = useState(true)
  const toPaper = () => void machine.print(taken).then(setOnPaper)
  useEffect(() => {
    if (prints) toPaper()
  }, [])
  return (
    <>
      <section class="top ticket">
        <p class="on-paper">
          {taken.house} · {taken.site}
        </p>
        <h1 class="label">{t('kiosk.your_number')}</h1>
        <p class="number" data-number={taken.number}>
          <LineBadge code={taken.code} />
          <TicketNumber>{taken.number}</TicketNumber>
        </p>
        <p class="service">{taken.names[currentLanguage()] ?? taken.name}</p>
        {settings.show_wait !== false && !taken.isOffline && (
          <p class="wait">
            {t('kiosk.wait')} : <bdi>{waitRange(taken.lowSeconds, taken.highSeconds)}</bdi>{' '}
            <bdi class="muted">({clockTime(taken.takenAt, taken.timezone)})</bdi>
          </p>
        )}
        {(settings.shows_qr !== false || !isOnPaper) && (
          <figure>
            <QrCode text={taken.url} label={t('kiosk.phone')} />
            <figcaption>{t('kiosk.phone')}</figcaption>
          </figure>
        )}
        {prints && <p class="muted">{t('kiosk.paper', { check: taken.check })}</p>}
        {taken.isOffline && (
          <p data-offline>
            {t('kiosk.offline_ticket')} <bdi class="muted">({clockTime(taken.takenAt, taken.timezone)})</bdi>
          </p>
        )}
        <p class="muted">{t('kiosk.hold')}</p>
        {!isOnPaper && (
          <p class="banner" role="alert" data-paper={machine.isPrinterStuck ? 'stuck' : 'out'}>
            {t(machine.isPrinterStuck ? 'kiosk.printer_stuck' : 'kiosk.no_paper')}
          </p>
        )}
      </section>
      <div class="choices">
        <button type="button" class="button" data-kind="primary" onClick={onDone}>
          {t('kiosk.done')}
        </button>
        {prints && isOnPaper && (
          <button type="button" class="button" onClick={toPaper}>
            {t('kiosk.print')}
          </button>
        )}
      </div>
    </>
  )
}
