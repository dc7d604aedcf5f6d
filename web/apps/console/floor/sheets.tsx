import { useState, type FormEvent } from 'react'
import { displaysAlert, displaysEndAlert, messagesBroadcast } from '../../../data/operations.ts'
import { counterName } from '../../../ui/format.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { LineBadge } from '../../../ui/parts/react.ts'
import { Chooser, type Choice } from '../parts/chooser.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { lineCode, serviceName } from '../state/catalogue.ts'
import type { FloorActs } from './acts.ts'
import { LastTicket } from './closing.tsx'
import type { FloorAgent } from './model.ts'
import type { FloorSheet } from './model.ts'

interface Props {
  acts: FloorActs
  sheet: FloorSheet
  onSheet(sheet: FloorSheet | null): void
}

export function FloorSheets({ acts, sheet, onSheet }: Props) {
  const { catalogue, floor } = acts.floor.state
  const close = () => onSheet(null)
  if (!catalogue || !floor) return null
  const name = (id: number) => serviceName(catalogue, id, currentLanguage())
  const lines = (except?: number): Choice[] =>
    floor.queues
      .filter(({ id }) => id !== except)
      .map(({ id, waiting }) => ({
        id: String(id),
        words: name(id),
        label: (
          <>
            <LineBadge code={lineCode(catalogue, id)} /> {name(id)}
          </>
        ),
        hint: t('console.waiting_count', { count: waiting }),
      }))
  const people = (fits: (agent: FloorAgent) => boolean): Choice[] =>
    floor.agents.filter(fits).map(({ id, name: who, status, counter_name }) => ({
      id: String(id),
      words: who,
      label: who,
      hint: `${t(`agent_status.${status}`)}${counter_name === null ? '' : ` · ${counterName(counter_name)}`}`,
    }))
  const isAtWork = ({ status }: FloorAgent) => ['available', 'calling', 'serving', 'wrap_up'].includes(status)

  switch (sheet.kind) {
    case 'broadcast':
      return <Broadcast acts={acts} onClose={close} />
    case 'last_ticket':
      return sheet.queueId === undefined ? (
        <Dialog title={t('floor.last_ticket')} name="which-line" onClose={close}>
          <Chooser
            label={t('floor.which_line')}
            choices={lines()}
            onChoose={(id) => onSheet({ kind: 'last_ticket', queueId: Number(id) })}
          />
        </Dialog>
      ) : (
        <LastTicket acts={acts} queueId={sheet.queueId} name={name(sheet.queueId)} onClose={close} />
      )
    case 'transfer':
      return (
        <Dialog title={t('floor.transfer_count', { count: sheet.tickets.length })} name="transfer" onClose={close}>
          <Chooser
            label={t('floor.which_line')}
            choices={lines(sheet.queueId)}
            onChoose={(id) => {
              close()
              void acts.transfer(sheet.tickets, Number(id))
            }}
          />
        </Dialog>
      )
    case 'move':
      return (
        <Dialog title={t('floor.key_move')} name="move" onClose={close}>
          {sheet.agentId === undefined ? (
            <Chooser
              label={t('floor.who')}
              choices={people(isAtWork)}
              onChoose={(id) => onSheet({ kind: 'move', agentId: Number(id) })}
            />
          ) : (
            <Chooser
              label={t('floor.which_line')}
              choices={lines()}
              onChoose={(id) => {
                close()
                void acts.moveAgent(sheet.agentId!, Number(id))
              }}
            />
          )}
        </Dialog>
      )
    case 'open': {
      const { free_counter_ids } = acts.floor.facts()
      const isNear = ({ queue_ids }: FloorAgent) => sheet.queueId === undefined || queue_ids.includes(sheet.queueId)
      return (
        <Dialog title={t('floor.key_open')} name="open" onClose={close}>
          <Chooser
            label={t('floor.who')}
            choices={people((agent) => isNear(agent) || isAtWork(agent))}
            onChoose={(id) => {
              const agent = floor.agents.find((each) => each.id === Number(id))!
              const counter = agent.counter_id ?? free_counter_ids[0]
              close()
              if (isAtWork(agent)) void acts.closeCounter(agent.id)
              else if (counter !== undefined) void acts.openCounter(agent.id, counter)
              else acts.floor.shell.say(t('floor.no_counter'), 'problem')
            }}
          />
          <p className="muted">{t('floor.open_note')}</p>
        </Dialog>
      )
    }
    case 'agent': {
      const agent = floor.agents.find(({ id }) => id === sheet.agentId)
      if (!agent) return null
      return (
        <Dialog title={agent.name} name="agent" onClose={close}>
          <p className="muted">
            {t(`agent_status.${agent.status}`)}
            {agent.counter_name !== null && ` · ${counterName(agent.counter_name)}`}
          </p>
          <p className="row">
            <button
              type="button"
              className="button"
              data-kind="primary"
              onClick={() => onSheet({ kind: 'move', agentId: agent.id })}
            >
              {t('floor.key_move')}
            </button>
            <OpenOrClose acts={acts} agent={agent} isAtWork={isAtWork(agent)} onClose={close} />
          </p>
        </Dialog>
      )
    }
  }
}

function OpenOrClose({
  acts,
  agent,
  isAtWork,
  onClose,
}: {
  acts: FloorActs
  agent: FloorAgent
  isAtWork: boolean
  onClose(): void
}) {
  const counter = agent.counter_id ?? acts.floor.facts().free_counter_ids[0]
  return (
    <button
      type="button"
      className="button"
      disabled={!isAtWork && counter === undefined}
      onClick={() => {
        onClose()
        if (isAtWork) void acts.closeCounter(agent.id)
        else if (counter !== undefined) void acts.openCounter(agent.id, counter)
      }}
    >
      {t(isAtWork ? 'floor.close_counter' : 'floor.open_counter')}
    </button>
  )
}

/** One word to the walls and the phones of everybody who is there. */
function Broadcast({ acts, onClose }: { acts: FloorActs; onClose(): void }) {
  const { shell, siteId } = acts.floor
  const [isBusy, setBusy] = useState(false)
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = Object.fromEntries(
      (['fr', 'en', 'ar'] as const).flatMap((language) => {
        const words = String(form.get(language) ?? '').trim()
        return words ? [[language, words]] : []
      }),
    ) as { fr?: string }
    if (Object.keys(text).length === 0) return
    setBusy(true)
    try {
      if (form.has('displays')) await shell.run(displaysAlert, { site_id: siteId, kind: 'notice', text })
      const reached = form.has('phones')
        ? await shell.run(messagesBroadcast, { site_id: siteId, text })
        : { tickets: 0 }
      onClose()
      shell.say(t('floor.did_broadcast', { count: reached.tickets }))
    } catch (error) {
      setBusy(false)
      shell.refuse(error)
    }
  }
  return (
    <Dialog title={t('floor.key_broadcast')} name="broadcast" onClose={onClose}>
      <form className="answers" onSubmit={(event) => void submit(event)}>
        {(['fr', 'en', 'ar'] as const).map((language) => (
          <label key={language}>
            {t(`console.language_${language}`)}
            <input name={language} maxLength={200} lang={language} dir={language === 'ar' ? 'rtl' : 'ltr'} />
          </label>
        ))}
        <fieldset>
          <legend>{t('floor.to')}</legend>
          <label className="chip">
            <input type="checkbox" name="displays" defaultChecked /> {t('floor.to_displays')}
          </label>
          <label className="chip">
            <input type="checkbox" name="phones" defaultChecked /> {t('floor.to_phones')}
          </label>
        </fieldset>
        <p className="row">
          <button type="submit" className="button" data-kind="primary" disabled={isBusy}>
            {t('floor.say')}
          </button>
          <button
            type="button"
            className="button"
            data-end-broadcast=""
            onClick={() => {
              onClose()
              shell.run(displaysEndAlert, { site_id: siteId }).then(() => shell.say(t('floor.did_end')), shell.refuse)
            }}
          >
            {t('floor.end_broadcast')}
          </button>
        </p>
      </form>
    </Dialog>
  )
}
