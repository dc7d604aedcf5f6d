import { counterName, ticketCode } from '../../../ui/format.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { LineBadge, TicketNumber } from '../../../ui/parts/react.ts'
import { isPossible, obey, subject } from './commands.ts'
import { keyLabel } from '../keys/stroke.ts'
import { COMMANDS, commandLabel, keysOf, type Command } from './keys/bindings.ts'
import { openChoice, pageChoices } from '../shell/page-choices.tsx'
import type { Shell } from '../shell/shell.ts'
import type { Acts, Destination } from './state/acts.ts'
import { lineCode, serviceName } from '../state/catalogue.ts'
import { preferences } from '../state/preferences.ts'
import { useStore } from '../state/store.ts'
import { AnswersSheet } from './answers-sheet.tsx'
import { Chooser, type Choice } from '../parts/chooser.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { HelpSheet } from './help-sheet.tsx'
import { PauseSheet } from './pause-sheet.tsx'

/** The one sheet that is open, if any. */
export function Sheets({ acts, shell }: { acts: Acts; shell: Shell }) {
  const { sheet } = useStore(acts.desk)
  const close = () => acts.desk.set({ sheet: null })
  if (sheet === null) return null
  if (typeof sheet === 'object') return <AnswersSheet acts={acts} {...sheet} onClose={close} />
  switch (sheet) {
    case 'transfer':
      return <TransferSheet acts={acts} onClose={close} />
    case 'pause':
      return <PauseSheet acts={acts} onClose={close} />
    case 'help':
      return <HelpSheet onClose={close} />
    case 'palette':
      return <Palette acts={acts} shell={shell} onClose={close} />
    case 'held':
      return <HeldSheet acts={acts} onClose={close} />
  }
}
interface Props {
  acts: Acts
  onClose(): void
}

/** To another line, colleague or counter: same number, and the time of arrival is kept. */
function TransferSheet({ acts, onClose }: Props) {
  const { catalogue, agentId, state } = acts.desk
  const ticket = subject(acts)
  const destinations: (Destination & { choice: Choice })[] = []
  if (ticket) {
    for (const { id, is_active } of catalogue.queues.values()) {
      if (!is_active || id === ticket.queue_id) continue
      const name = serviceName(catalogue, id, currentLanguage())
      const code = lineCode(catalogue, id)
      const label = (
        <>
          <LineBadge code={code} /> {name}
        </>
      )
      const count = state.view?.queues.find((queue) => queue.id === id)?.waiting_count
      const hint = count === undefined ? t('console.line') : t('console.waiting_count', { count })
      destinations.push({
        kind: 'queue',
        id,
        name,
        choice: { id: `queue-${id}`, words: `${name} ${code}`, label, hint },
      })
    }
    for (const { id, name, counter_name } of catalogue.agents) {
      if (id === agentId) continue
      const hint = counter_name === null ? t('console.colleague') : counterName(counter_name)
      destinations.push({ kind: 'agent', id, name, choice: { id: `agent-${id}`, words: name, label: name, hint } })
    }
    for (const { id, name } of catalogue.counters) {
      if (id === state.view?.agent.counter_id) continue
      destinations.push({
        kind: 'counter',
        id,
        name,
        choice: {
          id: `counter-${id}`,
          words: `${counterName(name)} ${name}`,
          label: counterName(name),
          hint: t('console.counter'),
        },
      })
    }
  }
  function choose(id: string) {
    const to = destinations.find(({ choice }) => choice.id === id)
    onClose()
    if (ticket && to) void acts.transfer(ticket, { kind: to.kind, id: to.id, name: to.name })
  }
  return (
    <Dialog
      title={t('console.transfer_title', { number: ticketCode(ticket?.number ?? '') })}
      name="transfer"
      onClose={onClose}
    >
      <Chooser label={t('console.transfer_to')} choices={destinations.map(({ choice }) => choice)} onChoose={choose} />
      <p className="muted">{t('console.transfer_note')}</p>
    </Dialog>
  )
}

/** Every command and every waiting number behind one field. */
function Palette({ acts, shell, onClose }: Props & { shell: Shell }) {
  const { bindings } = useStore(preferences)
  const { desk } = acts
  const commands = COMMANDS.filter((command) => command !== 'palette' && isPossible(command, acts))
  const choices: Choice[] = [
    ...commands.map((command): Choice => {
      const key = keysOf(command, bindings)[0]
      const label = t(commandLabel(command))
      return { id: command, words: label, label, hint: key && <kbd className="key">{keyLabel(key)}</kbd> }
    }),
    ...desk.state.waiting.map((ticket): Choice => ({
      id: `ticket-${ticket.id}`,
      words: ticket.number,
      label: <TicketNumber>{ticket.number}</TicketNumber>,
      hint: serviceName(desk.catalogue, ticket.queue_id, currentLanguage()),
    })),
    ...pageChoices(shell),
  ]
  function choose(id: string) {
    onClose()
    if (openChoice(shell, id)) return
    const ticketId = /^ticket-(\d+)$/.exec(id)?.[1]
    if (ticketId) desk.select(Number(ticketId))
    // The sheet gives the focus back first, or a command that moves it would lose it again.
    else setTimeout(() => obey({ command: id as Command }, acts))
  }
  return (
    <Dialog title={t('console.palette')} name="palette" onClose={onClose}>
      <Chooser label={t('console.palette_field')} choices={choices} onChoose={choose} />
    </Dialog>
  )
}

/** Those put aside, to be taken up again. */
function HeldSheet({ acts, onClose }: Props) {
  const { held } = acts.desk.state.view!
  const choices = held.map((ticket): Choice => ({
    id: String(ticket.id),
    words: ticket.number,
    label: <TicketNumber>{ticket.number}</TicketNumber>,
    hint: serviceName(acts.desk.catalogue, ticket.queue_id, currentLanguage()),
  }))
  function choose(id: string) {
    onClose()
    const ticket = held.find((each) => String(each.id) === id)
    if (ticket) void acts.resume(ticket)
  }
  return (
    <Dialog title={t('console.held_count', { count: held.length })} name="held" onClose={onClose}>
      <Chooser label={t('console.resume_which')} choices={choices} onChoose={choose} />
    </Dialog>
  )
}
