import { useState, type FormEvent } from 'react'
import { t } from '../../../ui/messages.ts'
import type { Acts } from './state/acts.ts'
import { Dialog } from '../parts/dialog.tsx'

const REASONS = ['short', 'lunch', 'meeting', 'back_office'] as const
const MINUTES = [5, 10, 15, 30, 45, 60] as const

/** Why, and when back: supervisors see both. Enter takes what is chosen. */
export function PauseSheet({ acts, onClose }: { acts: Acts; onClose(): void }) {
  const [reason, setReason] = useState<string>('short')
  const [minutes, setMinutes] = useState<number>(10)
  const [own, setOwn] = useState('')
  function submit(event: FormEvent) {
    event.preventDefault()
    onClose()
    const text = own.trim() || t(`console.reason_${reason as (typeof REASONS)[number]}`)
    void acts.pause(reason === 'back_office' ? 'back_office' : 'break', text, minutes)
  }
  return (
    <Dialog title={t('console.pause_title')} name="pause" onClose={onClose}>
      <form className="pause" onSubmit={submit}>
        <fieldset>
          <legend>{t('console.pause_reason')}</legend>
          {REASONS.map((each) => (
            <label key={each} className="chip">
              <input
                type="radio"
                name="reason"
                value={each}
                checked={reason === each}
                onChange={() => {
                  setReason(each)
                  if (each === 'lunch') setMinutes(45)
                }}
              />
              <span>{t(`console.reason_${each}`)}</span>
            </label>
          ))}
        </fieldset>
        <label>
          {t('console.reason_own')}
          <input value={own} maxLength={200} onChange={(event) => setOwn(event.target.value)} />
        </label>
        <fieldset>
          <legend>{t('console.expected_return')}</legend>
          {MINUTES.map((each) => (
            <label key={each} className="chip">
              <input type="radio" name="minutes" checked={minutes === each} onChange={() => setMinutes(each)} />
              <span>{t('console.minutes', { count: each })}</span>
            </label>
          ))}
        </fieldset>
        <button type="submit" className="button" data-kind="primary">
          {t('console.pause_start')}
        </button>
      </form>
    </Dialog>
  )
}
