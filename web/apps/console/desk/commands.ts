import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { t } from '../../../ui/messages.ts'
import type { Command } from './keys/bindings.ts'
import type { Meaning } from './keys/resolve.ts'
import type { Acts } from './state/acts.ts'
import { preferences } from '../state/preferences.ts'
import { isMiniPossible, openMini } from './mini-window.ts'

/** Can a command do anything now? Buttons are disabled and the palette leaves it out where it cannot. */
export function isPossible(command: Command, acts: Acts): boolean {
  const { view, waiting, isMirror, asksForDesk } = acts.desk.state
  const { ticket = null, held = [] } = view ?? {}
  const isCalled = ticket?.status === TicketStatus.called
  const isServing = ticket?.status === TicketStatus.serving
  const mayAct = acts.hindrance === null && !isMirror && !asksForDesk
  const isAway = view?.agent.status === 'break' || view?.agent.status === 'back_office'
  switch (command) {
    case 'next':
      return mayAct && (ticket !== null || isAway || waiting.length > 0)
    case 'call':
      return mayAct && !ticket && !isAway && waiting.length > 0
    case 'recall':
    case 'start':
    case 'no_show':
      return mayAct && isCalled
    case 'finish':
    case 'hold':
      return mayAct && isServing
    case 'return':
      return mayAct && ticket !== null
    case 'transfer':
      return mayAct && (ticket !== null || subject(acts) !== null)
    case 'remove':
      return mayAct && selected(acts) !== null
    case 'held':
      return held.length > 0
    case 'note':
    case 'history':
      return subject(acts) !== null
    case 'pause':
      return mayAct && !ticket
    case 'counter':
      return !isMirror && !ticket
    case 'mini':
      return isMiniPossible()
    default:
      return true
  }
}

/** The waiting ticket that was chosen with the mouse, a digit or the arrows. */
export function selected({ desk }: Acts) {
  const { waiting, selectedId } = desk.state
  return waiting.find(({ id }) => id === selectedId) ?? null
}
/** Whom notes, history and transfers are about. */
export const subject = (acts: Acts) => selected(acts) ?? acts.desk.state.view?.ticket ?? null

const focus = (id: string) => document.getElementById(id)?.focus()

/** Does what a key, a button or the palette asks for. */
export function obey(meaning: Meaning, acts: Acts): void {
  const { desk } = acts
  if ('select' in meaning) {
    const ticket = desk.state.waiting[meaning.select - 1]
    if (ticket) desk.select(ticket.id)
    return
  }
  switch (meaning.command) {
    case 'next':
      return void acts.next()
    case 'call': {
      const ticket = selected(acts) ?? desk.state.waiting[0]
      return ticket ? void acts.callTicket(ticket) : desk.say(t('console.nobody'))
    }
    case 'recall':
      return void acts.recall()
    case 'start':
      return void acts.start()
    case 'finish':
      return void acts.finish()
    case 'no_show':
      return void acts.noShow()
    case 'hold':
      return void acts.hold()
    case 'return':
      return void acts.giveBack()
    case 'remove': {
      const ticket = selected(acts)
      return ticket ? void acts.remove(ticket) : undefined
    }
    case 'transfer':
      return subject(acts) ? desk.set({ sheet: 'transfer' }) : desk.say(t('console.no_ticket'), 'problem')
    case 'held':
      return desk.state.view?.held.length ? desk.set({ sheet: 'held' }) : desk.say(t('console.nobody_held'))
    case 'pause':
      return isAway(acts) ? void acts.back() : openPause(acts)
    case 'palette':
    case 'help':
      return desk.set({ sheet: meaning.command })
    case 'find':
      return focus('find')
    case 'note':
      return focus('note')
    case 'history':
      return preferences.set({ showsVisits: !preferences.state.showsVisits })
    case 'undo':
      return acts.undo()
    case 'counter':
      return desk.set({ isChoosingCounter: true })
    case 'theme':
      return preferences.set({ theme: preferences.state.theme === 'dark' ? 'light' : 'dark' })
    case 'mini':
      return void openMini((meaning) => obey(meaning, acts))
  }
}

const isAway = ({ desk }: Acts) => ['break', 'back_office'].includes(desk.state.view?.agent.status ?? '')
function openPause({ desk }: Acts): void {
  if (desk.state.view?.ticket) desk.say(t('console.finish_first'), 'problem')
  else desk.set({ sheet: 'pause' })
}
