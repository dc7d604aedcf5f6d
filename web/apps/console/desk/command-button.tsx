import type { ReactNode } from 'react'
import { t } from '../../../ui/messages.ts'
import { isPossible, obey } from './commands.ts'
import { keyLabel } from '../keys/stroke.ts'
import { commandLabel, keysOf, type Command } from './keys/bindings.ts'
import type { Acts } from './state/acts.ts'
import { preferences } from '../state/preferences.ts'
import { useStore } from '../state/store.ts'

interface Props {
  acts: Acts
  command: Command
  kind?: 'primary' | 'quiet'
  /** Instead of the command's own label. */
  children?: ReactNode
}

/** A button that does what its key does, with the key on it. */
export function CommandButton({ acts, command, kind, children }: Props) {
  const { bindings, hasShortcuts } = useStore(preferences)
  const key = hasShortcuts ? keysOf(command, bindings)[0] : undefined
  return (
    <button
      type="button"
      className="button"
      data-kind={kind}
      data-command={command}
      disabled={!isPossible(command, acts)}
      aria-keyshortcuts={key?.replace('Ctrl', 'Control')}
      onClick={() => obey({ command }, acts)}
    >
      <span>{children ?? t(commandLabel(command))}</span>
      {key && (
        <kbd className="key" aria-hidden="true">
          {keyLabel(key)}
        </kbd>
      )}
    </button>
  )
}
