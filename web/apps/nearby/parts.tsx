import { languageTag } from '../../../shared/format.ts'
import { clockTime, day, waitRange } from '../../ui/format.ts'
import { currentLanguage, t } from '../../ui/messages.ts'
import type { Branch } from './data.ts'

/** `350 m`, `1.2 km`: no finer than a satellite knows. */
export function distance(metres: number): string {
  const isFar = metres >= 1000
  const value = isFar ? metres / 1000 : Math.max(10, Math.round(metres / 10) * 10)
  return new Intl.NumberFormat(languageTag(currentLanguage()), {
    style: 'unit',
    unit: isFar ? 'kilometer' : 'meter',
    unitDisplay: 'short',
    maximumFractionDigits: isFar && value < 10 ? 1 : 0,
  }).format(value)
}

/** Points where it says, in every language: it is never mirrored. Up is ahead. */
export const Arrow = ({ degrees }: { degrees: number }) => (
  <svg class="arrow" viewBox="0 0 32 32" aria-hidden="true" data-degrees={degrees}>
    <path d="M16 2L27 29L16 23L5 29z" transform={`rotate(${degrees} 16 16)`} />
  </svg>
)

const takes = ({ status }: Branch['lines'][number]) => status === 'open' || status === 'closing'

/** The shortest wait of what is open there, or when it opens. */
export function waitAt({ is_open, opens_at, lines, site }: Branch): string {
  if (!is_open)
    return opens_at
      ? `${t('nearby.closed')} · ${t('nearby.opens', { day: day(opens_at, site.timezone), time: clockTime(opens_at, site.timezone) })}`
      : t('nearby.closed')
  const open = lines.filter(takes)
  if (open.length === 0) return t('nearby.nothing')
  const known = open.filter((line) => line.eta_low_seconds !== null)
  const waiting = t('nearby.waiting', { count: open.reduce((total, line) => total + line.waiting, 0) })
  if (known.length === 0) return waiting
  const best = known.reduce((one, other) => (other.eta_low_seconds! < one.eta_low_seconds! ? other : one))
  return `${waitRange(best.eta_low_seconds, best.eta_high_seconds)} · ${waiting}`
}

/** Which way, in words: those who do not see the arrow go there too. */
export function wayOf(degrees: number): string {
  const part = Math.round(degrees / 45) % 8
  return t(
    (
      [
        'nearby.ahead',
        'nearby.ahead_right',
        'nearby.right',
        'nearby.behind_right',
        'nearby.behind',
        'nearby.behind_left',
        'nearby.left',
        'nearby.ahead_left',
      ] as const
    )[part]!,
  )
}
