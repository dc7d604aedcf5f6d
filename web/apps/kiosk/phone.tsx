import { useState } from 'preact/hooks'
import { t } from '../../ui/messages.ts'
import { Keypad } from './keypad.tsx'

/** With a country's code before it; the server reads what people write. */
const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '0']
/** E.164 has fifteen digits at most. */
const MOST_KEYS = 16
/** No country has shorter numbers of mobile phones. */
const LEAST_KEYS = 6

interface Props {
  isBusy: boolean
  onPhone(phone: string): void
  onSkip(): void
  onBack(): void
}
/** Where to be told of the call, for who wants that: a number is given with and without. */
export function Phone({ isBusy, onPhone, onSkip, onBack }: Props) {
  const [typed, setTyped] = useState('')
  return (
    <>
      <header class="top">
        <h1 class="title">{t('kiosk.phone_title')}</h1>
        <output class="typed number-typed" dir="ltr" aria-live="polite" aria-label={t('kiosk.phone_title')}>
          {typed || '·'}
        </output>
        <p>{t('kiosk.phone_why')}</p>
      </header>
      <Keypad
        keys={KEYS}
        typed={typed}
        most={MOST_KEYS}
        isWhole={typed.length >= LEAST_KEYS && !isBusy}
        onTyped={(next) => setTyped(next.endsWith('+') ? `+${next.replaceAll('+', '')}` : next)}
        onConfirm={() => onPhone(typed)}
        onBack={onBack}
      >
        <button type="button" class="button" data-skip disabled={isBusy} onClick={onSkip}>
          {t('kiosk.phone_skip')}
        </button>
      </Keypad>
    </>
  )
}
