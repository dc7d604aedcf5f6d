import { useState } from 'preact/hooks'
import { t } from '../../ui/messages.ts'
import { Keypad } from './keypad.tsx'

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
      <Keypad
        typed={digits}
        most={CODE_LENGTH}
        isWhole={isWhole && !isBusy}
        onTyped={setDigits}
        onConfirm={() => onTyped(digits.length === CODE_LENGTH ? { code: digits } : { phone_digits: digits })}
        onBack={onBack}
      />
    </>
  )
}
