import { t } from '../../../ui/messages.ts'
import { preferences } from '../state/preferences.ts'
import { useStore } from '../state/store.ts'

/** Switches all single keys off and on again (WCAG 2.1.4). */
export function ShortcutsSwitch() {
  const { hasShortcuts } = useStore(preferences)
  return (
    <label className="switch">
      <input
        type="checkbox"
        checked={hasShortcuts}
        onChange={(event) => preferences.set({ hasShortcuts: event.target.checked })}
      />
      <span>{t('console.shortcuts_on')}</span>
    </label>
  )
}
