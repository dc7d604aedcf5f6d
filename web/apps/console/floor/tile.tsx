import type { ReactNode } from 'react'
import { stopwatch, waitRange } from '../../../ui/format.ts'
import { currentLanguage, t, type MessageKey } from '../../../ui/messages.ts'
import { Code, Icon, LineBadge } from '../../../ui/parts/react.ts'
import { Sparkline } from '../parts/sparkline.tsx'
import { lineCode, serviceName, type Catalogue } from '../state/catalogue.ts'
import { useSecond } from '../state/clock.ts'
import type { Tile } from './model.ts'

/** A dash at which no line ends: half a range at the end of a line reads as a wait. */
const WHOLE_RANGE = '\u2060–\u2060'

interface Props {
  tile: Tile
  catalogue: Catalogue
  /** Its place among the lines: the digit after `G`. */
  place: number
  isOpen: boolean
  onOpen(): void
}

/** One line of the branch: five figures, each beside what it should not pass, and how it came there. */
export function QueueTile({ tile, catalogue, place, isOpen, onOpen }: Props) {
  const { queue, targets } = tile
  const now = useSecond()
  const { history } = queue
  const longest = queue.waiting_since === null ? 0 : Math.max(0, now - Date.parse(queue.waiting_since) / 1000)
  const name = serviceName(catalogue, queue.id, currentLanguage())
  const isLate = longest > targets.longest_seconds
  return (
    <li className="tile" data-queue={queue.id} data-late={isLate || undefined} data-open={isOpen || undefined}>
      <h3>
        <button type="button" aria-expanded={isOpen} onClick={onOpen}>
          <LineBadge code={lineCode(catalogue, queue.id)} />
          <span className="tile-name">{name}</span>
          {queue.status !== 'open' && (
            <span className="tile-status" data-status={queue.status}>
              {t(`queue_status.${queue.status}`)}
            </span>
          )}
          <kbd className="key" aria-hidden="true">
            {place}
          </kbd>
        </button>
      </h3>
      <dl>
        <Figure
          name="waiting"
          isOver={targets.waiting !== null && queue.waiting > targets.waiting}
          value={queue.waiting}
          target={targets.waiting === null ? null : t('floor.at_most', { value: targets.waiting })}
          line={<Sparkline values={[...history.waiting.slice(0, -1), queue.waiting]} target={targets.waiting} />}
        >
          {queue.waiting}
        </Figure>
        <Figure
          name="longest"
          isOver={isLate}
          value={queue.waiting_since ?? ''}
          target={t('floor.at_most_minutes', { value: Math.round(targets.longest_seconds / 60) })}
          line={
            <Sparkline values={[...history.longest_seconds.slice(0, -1), longest]} target={targets.longest_seconds} />
          }
        >
          <Code>{stopwatch(longest)}</Code>
        </Figure>
        <Figure
          name="eta"
          isOver={queue.eta_seconds !== null && queue.eta_seconds > targets.eta_seconds}
          value={queue.eta_seconds ?? ''}
          target={t('floor.at_most_minutes', { value: Math.round(targets.eta_seconds / 60) })}
          line={<Sparkline values={history.eta_seconds} target={targets.eta_seconds} />}
        >
          {waitRange(queue.eta_low_seconds, queue.eta_high_seconds).replace('–', WHOLE_RANGE)}
        </Figure>
        <Figure
          name="counters"
          isOver={targets.agents_open !== null && queue.agents_open < targets.agents_open}
          value={queue.agents_open}
          target={targets.agents_open === null ? null : t('floor.needed', { value: targets.agents_open })}
          line={
            <Sparkline values={[...history.agents_open.slice(0, -1), queue.agents_open]} target={targets.agents_open} />
          }
        >
          {queue.agents_open}
        </Figure>
        <Figure
          name="left"
          isOver={queue.left_today > targets.left}
          value={queue.left_today}
          target={t('floor.at_most', { value: targets.left })}
          line={<Sparkline values={history.left} target={targets.left} />}
        >
          {queue.left_today}
        </Figure>
      </dl>
    </li>
  )
}

interface FigureProps {
  name: 'waiting' | 'longest' | 'eta' | 'counters' | 'left'
  value: number | string
  target: string | null
  isOver: boolean
  line: ReactNode
  children: ReactNode
}
function Figure({ name, value, target, isOver, line, children }: FigureProps) {
  return (
    <div className="tile-figure" data-figure={name} data-value={value} data-over={isOver || undefined}>
      <dt>{t(`floor.figure_${name}` as MessageKey)}</dt>
      <dd>
        <strong>
          {isOver && <Icon name="alert" />}
          {isOver && <span className="visually-hidden">{t('floor.over')}</span>}
          {children}
        </strong>
        <span className="tile-target">{target ?? t('floor.no_target')}</span>
        {line}
      </dd>
    </div>
  )
}
