import { useEffect, useState } from 'react'
import { sitesList, type SitesGet } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { useWidth } from '../parts/use-width.ts'
import { linkTo } from '../shell/router.ts'
import type { Api } from './kit/api.ts'

const HEIGHT = 280
const MARGIN = 36
/** Beyond, names would cover each other. */
const MOST_NAMES = 25
const KM_A_DEGREE = 111.32

interface Place {
  id: number
  name: string
  /** Kilometres east and north of the middle. */
  east: number
  north: number
}

/** Where the sites are, to scale: no map lies below, so nobody else's server is asked. */
export function SiteMap({ api }: { api: Api }) {
  const [sites, setSites] = useState<readonly SitesGet[]>([])
  const [box, width] = useWidth<HTMLDivElement>()
  useEffect(() => {
    api.all<SitesGet>(sitesList).then(setSites, () => {})
  }, [api])
  const places = placesOf(sites)
  const [easts, norths] = [places.map(({ east }) => east), places.map(({ north }) => north)]
  const [wide, high] = [Math.max(...easts) - Math.min(...easts), Math.max(...norths) - Math.min(...norths)]
  const scale = Math.min((width - 2 * MARGIN) / Math.max(wide, 1), (HEIGHT - 2 * MARGIN) / Math.max(high, 1))
  const x = (east: number) => width / 2 + (east - (Math.max(...easts) + Math.min(...easts)) / 2) * scale
  const y = (north: number) => HEIGHT / 2 - (north - (Math.max(...norths) + Math.min(...norths)) / 2) * scale
  const km = roundKm(width / 4 / scale)
  const unplaced = sites.length - places.length
  return (
    <figure className="site-map" ref={box} hidden={places.length < 2}>
      {places.length >= 2 && width > 0 && (
        <svg viewBox={`0 0 ${width} ${HEIGHT}`} role="group" aria-label={t('admin.map')}>
          {places.map(({ id, name, east, north }) => (
            <a key={id} {...linkTo(`admin/sites/${id}`)} aria-label={name} data-place={id}>
              <circle className="site-map-target" cx={x(east)} cy={y(north)} r="14" />
              <circle className="site-map-dot" cx={x(east)} cy={y(north)} r="6" />
              {places.length <= MOST_NAMES ? (
                <text x={x(east)} y={y(north) - 12} textAnchor="middle">
                  {name}
                </text>
              ) : (
                <title>{name}</title>
              )}
            </a>
          ))}
          <path className="site-map-scale" d={`M16 ${HEIGHT - 14}v4h${km * scale}v-4`} />
          <text x={16 + km * scale + 8} y={HEIGHT - 8}>
            {t('admin.kilometres', { count: km })}
          </text>
        </svg>
      )}
      <figcaption className="muted">
        {t('admin.map_about')} {unplaced > 0 && t('admin.map_unplaced', { count: unplaced })}
      </figcaption>
    </figure>
  )
}

/** On a plane around the middle: right to a thousandth within a country. */
function placesOf(sites: readonly SitesGet[]): Place[] {
  const known = sites.filter(({ latitude, longitude }) => latitude !== null && longitude !== null)
  if (known.length === 0) return []
  const middle = known.reduce((sum, { latitude }) => sum + latitude!, 0) / known.length
  const narrow = Math.cos((middle * Math.PI) / 180)
  return known.map(({ id, name, latitude, longitude }) => ({
    id,
    name,
    east: longitude! * KM_A_DEGREE * narrow,
    north: latitude! * KM_A_DEGREE,
  }))
}
/** The greatest of 1, 2, 5, 10, 20, … not above; at least a tenth. */
function roundKm(most: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 0.1)))
  return power * ([5, 2, 1].find((each) => each * power <= most) ?? 1)
}
