import { useState } from 'preact/hooks'
import { t } from '../../ui/messages.ts'
import { Keypad } from './keypad.tsx'

const LEAST = 4
const MOST = 8

interface Props {
  isBusy: boolean
  onPin(pin: string): void
  onBack(): void
}
/** Who presses the corner long enough still has to know the PIN; what is typed is not shown. */
export function Pin({ isBusy, onPin, onBack }: Props) {
  const [typed, setTyped] = useState('')
  return (
    <>
      <header class="top">
        <h1 class="title">{t('kiosk.pin')}</h1>
        <output class="typed" dir="ltr" aria-label={t('kiosk.pin')}>
          {'•'.repeat(typed.length).padEnd(LEAST, '·')}
        </output>
      </header>
      <Keypad
        typed={typed}
        most={MOST}
        isWhole={typed.length >= LEAST && !isBusy}
        onTyped={setTyped}
        onConfirm={() => {
          onPin(typed)
          setTyped('')
        }}
        onBack={onBack}
      />
    </>
  )
}
