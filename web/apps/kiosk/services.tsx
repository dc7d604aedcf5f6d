import { useState } from 'preact/hooks'
import { waitRange } from '../../ui/format.ts'
import { currentLanguage, t } from '../../ui/messages.ts'
import { LineBadge } from '../../ui/parts/preact.ts'
import type { House } from './machine.ts'

type Line = House['page']['lines'][number]
/** Tiles of one screen: more are turned to. */
const MOST = 6
/** So many stand one below the other, with room for long names. */
const FEW = 3
const isOpen = ({ status }: Line) => status === 'open' || status === 'closing'

interface Props {
  house: House
  isBusy: boolean
  onService(queueId: number): void
  onCheckIn(): void
  onBack(): void
}
export function Services({ house, isBusy, onService, onCheckIn, onBack }: Props) {
  const [at, setAt] = useState(0)
  const { lines } = house.page
  const takes = (line: Line) => (house.offline ? isOpenByNow(house, line) : isOpen(line))
  const shown = lines.slice(at, at + MOST)
  return (
    <>
      <header class="top">
        <h1 class="title">{t('kiosk.choose')}</h1>
        {!lines.some(takes) && <p class="banner">{t('kiosk.nothing')}</p>}
      </header>
      <div class="choices tiles" data-few={lines.length <= FEW}>
        {shown.map((line) => (
          <button
            type="button"
            class="button tile"
            key={line.id}
            data-status={line.status}
            disabled={!takes(line) || isBusy}
            onClick={() => onService(line.id)}
          >
            <LineBadge code={line.code} />
            <span>
              {line.names[currentLanguage()] ?? line.name}
              {house.offline && takes(line) ? null : (
                <small>{takes(line) ? waitOf(line, house.settings.show_wait !== false) : stateOf(line)}</small>
              )}
            </span>
          </button>
        ))}
        {lines.length > MOST && (
          <button type="button" class="button" onClick={() => setAt(at + MOST >= lines.length ? 0 : at + MOST)}>
            {t('kiosk.next')}
          </button>
        )}
        {house.hasAppointments && (
          <button type="button" class="button" data-check-in onClick={onCheckIn}>
            {t('kiosk.appointment')}
          </button>
        )}
        <button type="button" class="button bare" onClick={onBack}>
          {t('kiosk.back')}
        </button>
      </div>
    </>
  )
}

function waitOf(line: Line, isShown: boolean): string {
  const waiting = t('kiosk.waiting', { count: line.waiting })
  return isShown && line.eta_low_seconds !== null
    ? `${waitRange(line.eta_low_seconds, line.eta_high_seconds)} · ${waiting}`
    : waiting
}
const stateOf = ({ status }: Line) =>
  t(status === 'paused' ? 'kiosk.paused' : status === 'full' ? 'kiosk.full' : 'kiosk.closed')

/** Without a network: what was known last, moved on to the present hour, where there are numbers to give. */
function isOpenByNow({ offline, page }: House, line: Line): boolean {
  if (!offline!.includes(line.id)) return false
  const has = (instant: string | null) => instant !== null && Date.parse(instant) <= Date.now()
  return isOpen(line) ? !has(page.closes_at) : line.status === 'closed' && !page.is_open && has(page.opens_at)
}
