import { useEffect, useState } from 'react'
import { Problem } from '../../../data/api.ts'
import { agentsList, type AgentsGet } from '../../../data/operations.ts'
import { counterName } from '../../../ui/format.ts'
import { t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import type { Desk } from './state/desk.ts'
import { useStore } from '../state/store.ts'

/** Where to sit. A counter with somebody at it asks once more, in place. */
export function CounterChoice({ desk }: { desk: Desk }) {
  const { self, view } = useStore(desk)
  const [agents, setAgents] = useState<readonly AgentsGet[]>(desk.catalogue.agents)
  const [taken, setTaken] = useState<number | null>(null)
  const [problem, setProblem] = useState('')
  useEffect(() => {
    const input = { site: desk.catalogue.site.id, is_active: true, limit: 200 }
    desk.run(agentsList, input).then(
      ({ results }) => setAgents(results),
      () => {},
    )
  }, [desk])
  const sitting = (counterId: number) => agents.find(({ id, counter_id }) => id !== self.id && counter_id === counterId)

  async function go(counterId: number, isTakeOver: boolean) {
    setProblem('')
    try {
      await desk.goTo(counterId, isTakeOver)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      setTaken(error.code === 'counter_taken' && !isTakeOver ? counterId : null)
      if (error.code !== 'counter_taken' || isTakeOver) setProblem(error.status ? error.message : t('console.not_sent'))
    }
  }
  return (
    <main className="gate">
      <section className="card" aria-labelledby="choose-counter">
        <h1 id="choose-counter">{t('console.choose_counter')}</h1>
        <p className="muted">{desk.catalogue.site.name}</p>
        <p className="problem" role="alert">
          {problem}
        </p>
        <ul className="counters">
          {desk.catalogue.counters.map(({ id, name }) => {
            const other = sitting(id)
            return (
              <li key={id}>
                <button
                  type="button"
                  className="button"
                  data-counter={id}
                  aria-expanded={other ? taken === id : undefined}
                  onClick={() => (other ? setTaken(id) : void go(id, false))}
                >
                  <span>{counterName(name)}</span>
                  {other && <span className="muted">{t('console.taken_by', { name: other.name })}</span>}
                </button>
                {taken === id && (
                  <p className="banner" role="status">
                    <Icon name="alert" /> {t('console.take_over_ask', { name: other?.name ?? '' })}{' '}
                    <button type="button" className="button" data-take-over={id} onClick={() => void go(id, true)}>
                      {t('console.take_over')}
                    </button>
                  </p>
                )}
              </li>
            )
          })}
        </ul>
        {view?.agent.counter_id !== null && (
          <button type="button" className="button" onClick={() => desk.set({ isChoosingCounter: false })}>
            {t('ui.close')}
          </button>
        )}
      </section>
    </main>
  )
}
