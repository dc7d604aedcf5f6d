import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../../ui/messages.ts'
import type { Branch } from './data.ts'
import { distance, waitAt } from './parts.tsx'

/** What a phone's camera sees from side to side, held upright. */
const VIEW_DEGREES = 50
/** Nearer, satellites are wrong by more than the view is wide. */
const LEAST_METRES = 30
const MOST_CARDS = 5

export interface LensProps {
  /** Where the camera looks; undefined while nobody knows. */
  heading: number | undefined
  cards: readonly { branch: Branch; metres: number; bearing: number }[]
  onClose(): void
}
/** The camera's picture with a card before each branch that stands there. The list stays below. */
export function Lens({ heading, cards, onClose }: LensProps) {
  const video = useRef<HTMLVideoElement>(null)
  const [isRefused, setRefused] = useState(false)
  useEffect(() => {
    let stream: MediaStream | undefined
    let isOver = false
    const wanted = { video: { facingMode: 'environment' }, audio: false }
    Promise.resolve()
      .then(() => navigator.mediaDevices.getUserMedia(wanted))
      .then(
        (opened) => {
          stream = opened
          if (isOver) return stop()
          video.current!.srcObject = opened
        },
        () => setRefused(true),
      )
    const stop = () => stream?.getTracks().forEach((track) => track.stop())
    return () => {
      isOver = true
      stop()
    }
  }, [])
  const seen = heading === undefined ? [] : inView(cards, heading)
  return (
    <section class="lens" aria-label={t('nearby.lens')}>
      <video ref={video} autoplay muted playsinline aria-hidden="true" />
      {seen.map(({ branch, metres, aside }, n) => (
        <p
          class="lens-card"
          key={branch.site.id}
          data-aside={Math.round(aside)}
          style={{ transform: `translate(${within((aside / VIEW_DEGREES) * 100)}vw, ${n * 5.2}rem)` }}
        >
          <strong>{branch.site.name}</strong>
          <bdi>{distance(metres)}</bdi>
          <span>{waitAt(branch)}</span>
        </p>
      ))}
      <p class="lens-hint" role="status">
        {isRefused
          ? t('nearby.no_camera')
          : heading === undefined
            ? t('nearby.finding_heading')
            : seen.length === 0
              ? t('nearby.turn')
              : ''}
      </p>
      <button type="button" class="button" data-close onClick={onClose}>
        {t('ui.close')}
      </button>
    </section>
  )
}

/** A card at the edge of the view is read whole: it goes no farther from the middle than this, in hundredths of the width. */
const MOST_ASIDE = 20
const within = (aside: number) => Math.max(-MOST_ASIDE, Math.min(MOST_ASIDE, aside))

/** What stands in the view, the nearest first; `aside` in degrees, to the right above 0. */
function inView(cards: LensProps['cards'], heading: number) {
  return cards
    .map((card) => ({ ...card, aside: ((card.bearing - heading + 540) % 360) - 180 }))
    .filter(({ metres, aside }) => metres >= LEAST_METRES && Math.abs(aside) <= VIEW_DEGREES / 2)
    .toSorted((one, other) => one.metres - other.metres)
    .slice(0, MOST_CARDS)
}
