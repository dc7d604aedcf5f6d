import { useState } from 'preact/hooks'
import { t } from '../../ui/messages.ts'

const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0']
const CODE_LENGTH = 6
const PHONE_LENGTH = 4

interface Props {
  isBusy: boolean
  onTyped(typed: { code: string } | { phone_digits: string }): void
  onBack(): void
}
/** Six digits are the appointment's code, four the end of a telephone number. */
export function CheckIn({ isBusy, onTyped, onBack }: Props) {
  const [digits, setDigits] = useState('')
  const isWhole = digits.length === CODE_LENGTH || digits.length === PHONE_LENGTH
  return (
    <>
      <header class="top">
        <h1 class="title">{t('kiosk.appointment')}</h1>
        <p>{t('kiosk.code')}</p>
        <output class="typed" dir="ltr" aria-live="polite">
          {digits.padEnd(CODE_LENGTH, '·')}
        </output>
      </header>
      <div class="choices">
        <div class="keypad" dir="ltr">
          {DIGITS.map((digit) => (
            <button
              type="button"
              class="button"
              key={digit}
              disabled={digits.length === CODE_LENGTH}
              onClick={() => setDigits(digits + digit)}
            >
              {digit}
            </button>
          ))}
        </div>
        <button
          type="button"
          class="button"
          data-kind="primary"
          disabled={!isWhole || isBusy}
          onClick={() => onTyped(digits.length === CODE_LENGTH ? { code: digits } : { phone_digits: digits })}
        >
          {t('kiosk.confirm')}
        </button>
        <button type="button" class="button" onClick={() => setDigits(digits.slice(0, -1))}>
          {t('kiosk.erase')}
        </button>
        <button type="button" class="button bare" onClick={onBack}>
          {t('kiosk.back')}
        </button>
      </div>
    </>
  )
}
