import type { FormEvent } from 'react'
import { t } from '../../../ui/messages.ts'
import type { Acts, Answers } from './state/acts.ts'
import { Dialog } from '../parts/dialog.tsx'
import { readable } from './person.tsx'

interface Props {
  acts: Acts
  answersFor: 'next' | 'finish'
  missing: readonly string[]
  onClose(): void
}

/** What the service wants to know before a ticket is finished; Enter goes on with what was asked for. */
export function AnswersSheet({ acts, answersFor, missing, onClose }: Props) {
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const { outcome, ...fields } = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>
    const answers: Answers = {
      ...(outcome !== undefined && { outcome }),
      ...(Object.keys(fields).length > 0 && { fields }),
    }
    onClose()
    void (answersFor === 'next' ? acts.next(answers) : acts.finish(answers))
  }
  return (
    <Dialog title={t('console.answers_title')} name="answers" onClose={onClose}>
      <form className="answers" onSubmit={submit}>
        {missing.map((name) => (
          <label key={name}>
            {readable(name)}
            <input name={name} required maxLength={100} />
          </label>
        ))}
        <button type="submit" className="button" data-kind="primary">
          {t(answersFor === 'next' ? 'console.command_next' : 'console.command_finish')}
        </button>
      </form>
    </Dialog>
  )
}
