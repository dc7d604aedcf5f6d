import type { ComponentChildren } from 'preact'
import { t } from '../../ui/messages.ts'

const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0']

interface Props {
  keys?: readonly string[]
  typed: string
  /** More keys are not taken. */
  most: number
  /** What is typed may be confirmed. */
  isWhole: boolean
  onTyped(typed: string): void
  onConfirm(): void
  onBack(): void
  /** Further ways on, before the way back. */
  children?: ComponentChildren
}
/**
 * Keys of the screen, for a machine has no others, and what may be done with what they typed. Figures run left to right
 * in every language.
 */
export const Keypad = ({ keys = DIGITS, typed, most, isWhole, onTyped, onConfirm, onBack, children }: Props) => (
  <div class="choices">
    <div class="keypad" dir="ltr" data-many={keys.length > 10}>
      {keys.map((key) => (
        <button
          type="button"
          class="button"
          key={key}
          disabled={typed.length === most}
          onClick={() => onTyped(typed + key)}
        >
          {key}
        </button>
      ))}
    </div>
    <button type="button" class="button" data-kind="primary" disabled={!isWhole} onClick={onConfirm}>
      {t('kiosk.confirm')}
    </button>
    <button type="button" class="button" data-erase disabled={typed === ''} onClick={() => onTyped(typed.slice(0, -1))}>
      {t('kiosk.erase')}
    </button>
    {children}
    <button type="button" class="button bare" onClick={onBack}>
      {t('kiosk.back')}
    </button>
  </div>
)
