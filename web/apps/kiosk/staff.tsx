import { useEffect, useState } from 'preact/hooks'
import { clockTime } from '../../ui/format.ts'
import { currentLanguage, t } from '../../ui/messages.ts'
import { TicketNumber } from '../../ui/parts/preact.ts'
import type { Machine } from './machine.ts'
import type { Prompter } from './speak.ts'
import type { Settings } from './taken.ts'

const LOUDER_PERCENT = 10

interface Props {
  machine: Machine
  prompter: Prompter
  settings: Settings
  /** The PIN was typed; without it nothing is here that could harm or tell of anybody. */
  isTrusted: boolean
  hasPin: boolean
  onDone(): void
}
/** For who looks after the machine. */
export function Staff({ machine, prompter, settings, isTrusted, hasPin, onDone }: Props) {
  const [paper, setPaper] = useState(machine.paper)
  const [isStuck, setStuck] = useState(machine.isPrinterStuck)
  const [untold, setUntold] = useState(0)
  const [volume, setVolume] = useState(prompter.volumePercent)
  const [isLeaving, setLeaving] = useState(false)
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
  function sound(percent: number): void {
    setVolume(percent)
    void prompter.setVolume(percent)
    void prompter.say(t('kiosk.volume_sample'), currentLanguage())
  }
  return (
    <>
      <header class="top">
        <h1 class="title">{t('kiosk.staff')}</h1>
        <p data-name>
          <bdi>{machine.name}</bdi>
        </p>
        <dl class="facts">
          <div data-paper-state={paper}>
            <dt>{t('kiosk.paper_state')}</dt>
            <dd>{t(`kiosk.paper_is_${paper}`)}</dd>
          </div>
          {hasWire && (
            <div data-printer={isStuck ? 'error' : 'ok'}>
              <dt>{t('kiosk.printer')}</dt>
              <dd>{t(isStuck ? 'kiosk.printer_lost' : 'kiosk.printer_ok')}</dd>
            </div>
          )}
          {isTrusted && (
            <div data-volume={volume}>
              <dt>{t('kiosk.volume')}</dt>
              <dd>
                <bdi>{volume} %</bdi>
              </dd>
            </div>
          )}
        </dl>
        {untold > 0 && <p data-untold={untold}>{t('kiosk.untold', { count: untold })}</p>}
        {!isTrusted && <p class="muted">{t(hasPin ? 'kiosk.pin_away' : 'kiosk.pin_unset')}</p>}
        {isTrusted && machine.lastTaken.length > 0 && (
          <section class="again" aria-label={t('kiosk.last_numbers')}>
            <h2 class="subtitle">{t('kiosk.last_numbers')}</h2>
            {machine.lastTaken.map((taken) => (
              <button
                type="button"
                class="button"
                key={taken.url}
                data-again={taken.number}
                onClick={() => void machine.print(taken).then(refresh)}
              >
                <TicketNumber>{taken.number}</TicketNumber>
                <bdi class="muted">{clockTime(taken.takenAt, taken.timezone)}</bdi>
                <span>{t('kiosk.print_again')}</span>
              </button>
            ))}
          </section>
        )}
      </header>
      <div class="choices tiles">
        <button
          type="button"
          class="button"
          data-paper={paper}
          onClick={() => void tell(paper === 'out' ? 'ok' : 'out')}
        >
          {t(paper === 'out' ? 'kiosk.paper_new' : 'kiosk.paper_out')}
        </button>
        <button type="button" class="button" data-test onClick={() => void machine.print(null).then(refresh)}>
          {t('kiosk.test')}
        </button>
        {hasWire && (
          <button type="button" class="button" data-choose onClick={() => void choose()}>
            {t('kiosk.printer_choose')}
          </button>
        )}
        {isTrusted && (
          <>
            <button
              type="button"
              class="button"
              data-quieter
              disabled={volume === 0}
              onClick={() => sound(Math.max(0, volume - LOUDER_PERCENT))}
            >
              {t('kiosk.quieter')}
            </button>
            <button
              type="button"
              class="button"
              data-louder
              disabled={volume === 100}
              onClick={() => sound(Math.min(100, volume + LOUDER_PERCENT))}
            >
              {t('kiosk.louder')}
            </button>
            <button
              type="button"
              class="button"
              data-pair={isLeaving ? 'sure' : ''}
              onClick={() => {
                if (!isLeaving) return setLeaving(true)
                machine.forget()
                location.reload()
              }}
            >
              {t(isLeaving ? 'kiosk.pair_sure' : 'kiosk.pair')}
            </button>
          </>
        )}
        <button type="button" class="button" data-restart onClick={() => location.reload()}>
          {t('kiosk.restart')}
        </button>
        <button type="button" class="button bare" onClick={onDone}>
          {t('kiosk.back')}
        </button>
      </div>
    </>
  )
}
