import { useState, type KeyboardEvent } from 'react'
import { t } from '../../../ui/messages.ts'
import { keyLabel } from '../keys/stroke.ts'
import { COMMANDS, commandLabel, KEYS, keysOf, type Command } from './keys/bindings.ts'
import { keyOf } from '../keys/stroke.ts'
import { preferences } from '../state/preferences.ts'
import { useStore } from '../state/store.ts'
import { Dialog } from '../parts/dialog.tsx'
import { ShortcutsSwitch } from '../parts/shortcuts-switch.tsx'

/** All keys. Each can be another one, and all single keys can be switched off (WCAG 2.1.4). */
export function HelpSheet({ onClose }: { onClose(): void }) {
  const { bindings } = useStore(preferences)
  const [asked, setAsked] = useState<Command | null>(null)
  const [problem, setProblem] = useState('')

  function onKeyDown(event: KeyboardEvent, command: Command) {
    if (asked !== command || ['Shift', 'Control', 'Alt', 'Meta', 'AltGraph', 'Tab'].includes(event.key)) return
    event.preventDefault()
    event.stopPropagation()
    setProblem('')
    if (event.key === 'Escape') return setAsked(null)
    const key = keyOf(event.nativeEvent)
    const owner = COMMANDS.find((each) => each !== command && keysOf(each, bindings).includes(key))
    if (owner) return setProblem(t('console.key_taken', { key: keyLabel(key), command: t(commandLabel(owner)) }))
    if (key === 'Enter' || key === ' ') return setProblem(t('console.key_reserved'))
    preferences.set({ bindings: { ...bindings, [command]: key } })
    setAsked(null)
  }
  return (
    <Dialog title={t('console.help_title')} name="help" onClose={onClose}>
      <ShortcutsSwitch />
      <p className="problem" role="alert">
        {problem}
      </p>
      <table className="keys">
        <thead>
          <tr>
            <th scope="col">{t('console.act')}</th>
            <th scope="col">{t('console.key')}</th>
            <th scope="col">{t('console.also')}</th>
          </tr>
        </thead>
        <tbody>
          {COMMANDS.filter((command) => KEYS[command]).map((command) => {
            const [first, ...others] = keysOf(command, bindings)
            return (
              <tr key={command}>
                <th scope="row">{t(commandLabel(command))}</th>
                <td>
                  <button
                    type="button"
                    className="button"
                    data-kind="quiet"
                    data-remap={command}
                    onClick={() => setAsked(command)}
                    onBlur={() => setAsked(null)}
                    onKeyDown={(event) => onKeyDown(event, command)}
                  >
                    <span className="visually-hidden">
                      {t('console.change_key', { command: t(commandLabel(command)) })}
                    </span>
                    {asked === command ? t('console.press_key') : <kbd className="key">{keyLabel(first!)}</kbd>}
                  </button>
                </td>
                <td>
                  {others.map((key) => (
                    <kbd className="key" key={key}>
                      {keyLabel(key)}
                    </kbd>
                  ))}
                </td>
              </tr>
            )
          })}
          <tr>
            <th scope="row">{t('console.select_nth')}</th>
            <td>
              <kbd className="key">1</kbd>…<kbd className="key">9</kbd>
            </td>
            <td>–</td>
          </tr>
        </tbody>
      </table>
      <button type="button" className="button" data-reset-keys="" onClick={() => preferences.set({ bindings: {} })}>
        {t('console.keys_reset')}
      </button>
    </Dialog>
  )
}
