import { useEffect, useState } from 'react'
import { queuesClosingForecast, queuesOfferTomorrow, sitesExtendOpening } from '../../../data/operations.ts'
import { clockTime } from '../../../ui/format.ts'
import { t } from '../../../ui/messages.ts'
import { Code } from '../../../ui/parts/react.ts'
import { Dialog } from '../parts/dialog.tsx'
import type { FloorActs } from './acts.ts'
import type { Closing } from './model.ts'

/** When the last person is served at this pace, in figures. */
export function ClosingFacts({ closing, zone }: { closing: Closing; zone: string }) {
  const time = (instant: string | null) => (instant === null ? '–' : clockTime(instant, zone))
  return (
    <dl className="facts-list" data-unserved={closing.unserved} data-last-served={closing.last_served_at ?? ''}>
      <div>
        <dt>{t('floor.closes_at')}</dt>
        <dd>
          <Code>{time(closing.closes_at)}</Code>
        </dd>
      </div>
      <div>
        <dt>{t('floor.last_served_at')}</dt>
        <dd>
          <Code>{time(closing.last_served_at)}</Code>
        </dd>
      </div>
      <div data-over={closing.unserved > 0 || undefined}>
        <dt>{t('floor.unserved')}</dt>
        <dd>{closing.unserved}</dd>
      </div>
    </dl>
  )
}

/** The last ticket of the day: what would come of it, and the three ways out. */
export function LastTicket({
  acts,
  queueId,
  name,
  onClose,
}: {
  acts: FloorActs
  queueId: number
  name: string
  onClose(): void
}) {
  const { floor } = acts
  const { shell } = floor
  const [closing, setClosing] = useState<Closing | null>(null)
  const [until, setUntil] = useState('')
  const [count, setCount] = useState('')
  const zone = floor.state.floor?.site.timezone ?? shell.timeZone
  useEffect(() => {
    shell.run(queuesClosingForecast, { id: queueId }).then(setClosing, shell.refuse)
  }, [shell, queueId])
  const isActive = floor.tiles().find(({ queue }) => queue.id === queueId)?.queue.is_active
  async function run(text: string, act: () => Promise<unknown>) {
    try {
      await act()
      shell.say(text)
      await floor.load()
      onClose()
    } catch (error) {
      onClose()
      shell.refuse(error)
    }
  }
  return (
    <Dialog title={t('floor.last_ticket_of', { line: name })} name="last-ticket" onClose={onClose}>
      {closing === null ? (
        <p role="status">{t('ui.loading')}</p>
      ) : (
        <>
          <ClosingFacts closing={closing} zone={zone} />
          <p>{closing.text}</p>
          <div className="ways">
            <section>
              <h3>{t('floor.way_stop')}</h3>
              <p className="muted">{t('floor.way_stop_note', { count: closing.waiting })}</p>
              <button
                type="button"
                className="button"
                data-kind="primary"
                data-way="stop"
                disabled={!isActive}
                onClick={() => void acts.stopIntake(queueId).then(onClose)}
              >
                {t('floor.act_stop')}
              </button>
            </section>
            {closing.closes_at !== null && (
              <form
                onSubmit={(event) => {
                  event.preventDefault()
                  void run(t('floor.did_extend', { time: until }), () =>
                    shell.run(sitesExtendOpening, { id: floor.siteId, until }),
                  )
                }}
              >
                <h3>{t('floor.way_extend')}</h3>
                <label>
                  {t('floor.until')}
                  <input type="time" required value={until} onChange={(event) => setUntil(event.target.value)} />
                </label>
                <button type="submit" className="button" data-way="extend">
                  {t('floor.extend')}
                </button>
              </form>
            )}
            {closing.waiting > 0 && (
              <form
                onSubmit={(event) => {
                  event.preventDefault()
                  void run(t('floor.did_offer'), () =>
                    shell.run(queuesOfferTomorrow, { id: queueId, ...(count !== '' && { count: Number(count) }) }),
                  )
                }}
              >
                <h3>{t('floor.way_tomorrow')}</h3>
                <label>
                  {t('floor.how_many')}
                  <input
                    type="number"
                    min={1}
                    max={closing.waiting}
                    placeholder={String(closing.unserved)}
                    value={count}
                    required={closing.unserved === 0}
                    onChange={(event) => setCount(event.target.value)}
                  />
                </label>
                <button type="submit" className="button" data-way="tomorrow">
                  {t('floor.offer')}
                </button>
              </form>
            )}
          </div>
        </>
      )}
    </Dialog>
  )
}
