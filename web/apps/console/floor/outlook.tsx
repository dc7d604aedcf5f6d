import { useEffect, useState } from 'react'
import { queuesWhatIf, type QueuesWhatIf } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import type { Shell } from '../shell/shell.ts'

const minutes = (seconds: number | null) => (seconds === null ? '–' : Math.round(seconds / 60))

/** "One more counter: 18 → 11 minutes", and the button that does it. */
export function WhatIf({
  shell,
  queueId,
  open,
  onOpenCounter,
}: {
  shell: Shell
  queueId: number
  open: number
  onOpenCounter(): void
}) {
  const [change, setChange] = useState(1)
  const [answer, setAnswer] = useState<QueuesWhatIf | null>(null)
  useEffect(() => {
    let isWanted = true
    shell.run(queuesWhatIf, { id: queueId, change }).then(
      (found) => isWanted && setAnswer(found),
      () => isWanted && setAnswer(null),
    )
    return () => void (isWanted = false)
  }, [shell, queueId, change, open])
  return (
    <section className="outlook" aria-labelledby="what-if">
      <h3 id="what-if">{t('floor.what_if')}</h3>
      <p className="row">
        <button
          type="button"
          className="button"
          data-what-if="less"
          aria-label={t('floor.one_less')}
          disabled={open + change - 1 < 0}
          onClick={() => setChange(change - 1)}
        >
          −
        </button>
        <output data-what-if-counters={answer?.changed.counters}>
          {t('floor.counters', { count: answer?.changed.counters ?? open + change })}
        </output>
        <button
          type="button"
          className="button"
          data-what-if="more"
          aria-label={t('floor.one_more')}
          disabled={change >= 50}
          onClick={() => setChange(change + 1)}
        >
          +
        </button>
      </p>
      {answer && (
        <p data-what-if-mean={answer.changed.mean_seconds ?? ''}>
          {t('floor.mean_wait')}{' '}
          <strong className="from-to">
            {minutes(answer.now.mean_seconds)} <Icon name="next" /> {minutes(answer.changed.mean_seconds)}{' '}
            {t('floor.minutes')}
          </strong>{' '}
          <span className="muted">
            {t('floor.p90', { before: minutes(answer.now.p90_seconds), after: minutes(answer.changed.p90_seconds) })}
          </span>
        </p>
      )}
      {change > 0 && (
        <button type="button" className="button" onClick={onOpenCounter}>
          {t('floor.key_open')}
        </button>
      )}
    </section>
  )
}
