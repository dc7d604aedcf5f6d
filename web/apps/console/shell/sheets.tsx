import { t } from '../../../ui/messages.ts'
import { keyLabel } from '../keys/stroke.ts'
import { Chooser, type Choice } from '../parts/chooser.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Languages } from '../parts/languages.tsx'
import { ShortcutsSwitch } from '../parts/shortcuts-switch.tsx'
import { preferences } from '../state/preferences.ts'
import { useStore } from '../state/store.ts'
import { openChoice, pageChoices } from './page-choices.tsx'
import type { Shell } from './shell.ts'

/** The sheets that every page has: commands and pages behind one field, all keys, the person. */
export function ShellSheets({ shell }: { shell: Shell }) {
  const { sheet } = useStore(shell)
  const close = () => shell.set({ sheet: null })
  switch (sheet) {
    case null:
      return null
    case 'palette':
      return <Palette shell={shell} onClose={close} />
    case 'help':
      return <Keys shell={shell} onClose={close} />
    case 'account':
      return <Account shell={shell} onClose={close} />
  }
}
interface Props {
  shell: Shell
  onClose(): void
}

function Palette({ shell, onClose }: Props) {
  const choices: Choice[] = [
    ...shell.commands
      .filter(({ isPossible }) => isPossible?.() !== false)
      .map(({ id, label, key }) => ({
        id,
        words: label,
        label,
        hint: key && <kbd className="key">{keyLabel(key)}</kbd>,
      })),
    ...pageChoices(shell),
  ]
  function choose(id: string) {
    onClose()
    // The sheet gives the focus back first, or a command that moves it would lose it again.
    if (!openChoice(shell, id)) setTimeout(() => shell.commands.find((each) => each.id === id)?.run())
  }
  return (
    <Dialog title={t('console.palette')} name="palette" onClose={onClose}>
      <Chooser label={t('console.palette_pages')} choices={choices} onChoose={choose} />
    </Dialog>
  )
}

function Keys({ shell, onClose }: Props) {
  const rows = [
    ...shell.commands.flatMap(({ label, key }) => (key ? [{ label, keys: [key] }] : [])),
    ...shell.targets.map(({ label, key }) => ({ label, keys: ['g', key] })),
    ...shell.pages.flatMap(({ title, key }) =>
      key && shell.pages.length > 1 ? [{ label: t('console.open_page', { page: t(title) }), keys: ['g', key] }] : [],
    ),
    { label: t('console.command_palette'), keys: ['Ctrl+k'] },
  ]
  return (
    <Dialog title={t('console.help_title')} name="help" onClose={onClose}>
      <ShortcutsSwitch />
      <table className="keys">
        <tbody>
          {rows.map(({ label, keys }) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td>
                {keys.map((key) => (
                  <kbd key={key} className="key">
                    {keyLabel(key)}
                  </kbd>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  )
}

function Account({ shell, onClose }: Props) {
  const { theme } = useStore(preferences)
  const { user, role } = shell.session
  return (
    <Dialog title={user.name} name="account" onClose={onClose}>
      <p className="muted">
        {role === 'operator' || role === 'admin' || role === 'supervisor' || role === 'agent'
          ? t(`role.${role}`)
          : role}{' '}
        · <bdi dir="ltr">{user.email}</bdi>
      </p>
      <Languages />
      <p className="row">
        <button
          type="button"
          className="button"
          data-command="theme"
          onClick={() => preferences.set({ theme: theme === 'dark' ? 'light' : 'dark' })}
        >
          {t(theme === 'dark' ? 'console.to_light' : 'console.to_dark')}
        </button>
        <button type="button" className="button" data-sign-out="" onClick={() => void shell.signOut()}>
          {t('console.sign_out')}
        </button>
      </p>
    </Dialog>
  )
}
