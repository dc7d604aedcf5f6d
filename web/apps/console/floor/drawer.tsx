import { useState } from 'react'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { Icon, LineBadge } from '../../../ui/parts/react.ts'
import { lineCode, serviceName } from '../state/catalogue.ts'
import { useStore } from '../state/store.ts'
import type { FloorActs } from './acts.ts'
import { ClosingFacts } from './closing.tsx'
import { LineList } from './line.tsx'
import { WhatIf } from './outlook.tsx'
import type { FloorSheet } from './model.ts'

/** One line at work: who waits and in which order, who may still come, what a change would do. */
export function QueueDrawer({
  acts,
  queueId,
  onSheet,
  onClose,
}: {
  acts: FloorActs
  queueId: number
  onSheet(sheet: FloorSheet): void
  onClose(): void
}) {
  const { floor } = acts
  const { catalogue, view, closing, floor: facts } = useStore(floor)
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set())
  const tile = floor.tiles().find(({ queue }) => queue.id === queueId)
  const line = view?.lines.find((each) => each.queue.id === queueId)
  if (!catalogue || !tile || !line || !facts) return null
  const { queue } = tile
  const there = line.waiting.filter(({ id }) => chosen.has(id))
  const forecast = closing.get(queueId)
  const name = serviceName(catalogue, queueId, currentLanguage())
  return (
    <aside className="drawer" aria-labelledby="drawer-title" data-drawer={queueId}>
      <header>
        <h2 id="drawer-title">
          <LineBadge code={lineCode(catalogue, queueId)} /> {name}
        </h2>
        <button type="button" className="button" data-kind="quiet" aria-label={t('ui.close')} onClick={onClose}>
          <Icon name="cross" />
        </button>
      </header>
      <div className="drawer-body">
        <section aria-labelledby="line-title">
          <h3 id="line-title">{t('console.waiting_count', { count: queue.waiting })}</h3>
          <LineList acts={acts} waiting={line.waiting} count={queue.waiting} chosen={chosen} onChoose={setChosen} />
          {there.length > 0 && (
            <button
              type="button"
              className="button"
              data-kind="primary"
              data-transfer=""
              onClick={() => onSheet({ kind: 'transfer', queueId, tickets: there })}
            >
              {t('floor.transfer_count', { count: there.length })}
            </button>
          )}
        </section>
        <WhatIf
          shell={floor.shell}
          queueId={queueId}
          open={queue.agents_open}
          onOpenCounter={() => onSheet({ kind: 'open', queueId })}
        />
        {forecast && (
          <section aria-labelledby="closing-title">
            <h3 id="closing-title">{t('floor.closing')}</h3>
            <ClosingFacts closing={forecast} zone={facts.site.timezone} />
          </section>
        )}
        <Limit key={queue.max_capacity} acts={acts} queueId={queueId} most={queue.max_capacity} />
      </div>
      <footer className="drawer-acts">
        {queue.is_active ? (
          <button
            type="button"
            className="button"
            data-kind="primary"
            data-intake="stop"
            onClick={() => void acts.stopIntake(queueId)}
          >
            <Icon name="pause" /> {t('floor.act_stop')}
            <kbd className="key" aria-hidden="true">
              P
            </kbd>
          </button>
        ) : (
          <button
            type="button"
            className="button"
            data-kind="primary"
            data-intake="resume"
            onClick={() => void acts.resumeIntake(queueId)}
          >
            {t('floor.resume')}
            <kbd className="key" aria-hidden="true">
              P
            </kbd>
          </button>
        )}
        <button
          type="button"
          className="button"
          data-last-ticket=""
          onClick={() => onSheet({ kind: 'last_ticket', queueId })}
        >
          {t('floor.last_ticket')}
          <kbd className="key" aria-hidden="true">
            L
          </kbd>
        </button>
      </footer>
    </aside>
  )
}

/** How many may wait at once; nobody more is let in beyond it. */
function Limit({ acts, queueId, most }: { acts: FloorActs; queueId: number; most: number | null }) {
  const [text, setText] = useState(most === null ? '' : String(most))
  return (
    <form
      className="limit"
      onSubmit={(event) => {
        event.preventDefault()
        void acts.limit(queueId, text === '' ? null : Number(text))
      }}
    >
      <label>
        {t('floor.limit')}
        <input
          type="number"
          id="limit"
          min={1}
          max={1_000_000}
          value={text}
          placeholder={t('floor.no_limit')}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <button type="submit" className="button" disabled={text === (most === null ? '' : String(most))}>
        {t('floor.set')}
      </button>
    </form>
  )
}
