import { useId, useMemo, useState, type KeyboardEvent, type ReactNode } from 'react'
import { t } from '../../../ui/messages.ts'

export interface Choice {
  id: string
  /** What is typed is looked for at the beginning of each word of these. */
  words: string
  label: ReactNode
  hint?: ReactNode
}

const fold = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()

/** How well what was typed fits: 0 at the very beginning, 1 at the beginning of a word, 2 anywhere; -1 not at all. */
function fit(words: string, typed: string): number {
  const text = fold(words)
  if (text.startsWith(typed)) return 0
  if (text.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(typed))) return 1
  return text.includes(typed) ? 2 : -1
}

/** Type ahead, arrows, Enter: one field over a list (a combobox whose list is always open). */
export function Chooser({
  label,
  choices,
  onChoose,
}: {
  label: string
  choices: readonly Choice[]
  onChoose(id: string): void
}) {
  const [typed, setTyped] = useState('')
  const [at, setAt] = useState(0)
  const id = useId()
  const found = useMemo(() => {
    const needle = fold(typed.trim())
    if (!needle) return choices.slice(0, 50)
    return choices
      .flatMap((choice) => {
        const rank = fit(choice.words, needle)
        return rank < 0 ? [] : [{ choice, rank }]
      })
      .toSorted((a, b) => a.rank - b.rank)
      .slice(0, 50)
      .map(({ choice }) => choice)
  }, [choices, typed])

  function onKeyDown(event: KeyboardEvent) {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      setAt((last) => Math.max(0, Math.min(found.length - 1, last + step)))
    } else if (event.key === 'Enter' && found[at]) {
      event.preventDefault()
      onChoose(found[at].id)
    }
  }
  return (
    <div className="chooser">
      <input
        role="combobox"
        aria-label={label}
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={found[at] && `${id}-${found[at].id}`}
        placeholder={label}
        autoComplete="off"
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value)
          setAt(0)
        }}
        onKeyDown={onKeyDown}
      />
      <ul role="listbox" id={`${id}-list`} aria-label={label}>
        {found.map((choice, index) => (
          <li
            key={choice.id}
            role="option"
            id={`${id}-${choice.id}`}
            aria-selected={index === at}
            data-choice={choice.id}
            onMouseMove={() => setAt(index)}
            onClick={() => onChoose(choice.id)}
          >
            <span>{choice.label}</span>
            {choice.hint && <span className="muted">{choice.hint}</span>}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="muted">{t('console.nothing_fits')}</p>}
    </div>
  )
}
