import type { FunctionComponent } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { call } from '../../data/api.ts'
import { arNearby } from '../../data/operations.ts'
import { currentLanguage, t } from '../../ui/messages.ts'
import { LineBadge } from '../../ui/parts/preact.ts'
import { Header } from '../../ui/public/parts.tsx'
import type { Branch, NearbyProps } from './data.ts'
import { towards, turned, type Point } from './geo.ts'
import type { LensProps } from './lens.tsx'
import { Arrow, distance, waitAt, wayOf } from './parts.tsx'
import { useCompass, usePlace } from './use-place.ts'

/** Waits are read again this often while somebody looks. */
const REFRESH_MS = 10_000
const RADIUS_METRES = 200_000

/** Branches with their waits: by name, or by distance once somebody says where they are; an arrow, a camera. */
export function NearbyPage({ tenant, name, branches }: Omit<NearbyProps, 'page'>) {
  const { place, find } = usePlace()
  const here = typeof place === 'object' ? place : null
  const near = useNear(tenant, here)
  const { heading, state, start } = useCompass()
  const [Lens, setLens] = useState<FunctionComponent<LensProps> | null>(null)
  const shown: Branch[] = near ?? branches
  const placed = here ? shown.map((branch) => ({ branch, way: wayTo(here, branch) })) : null
  function openLens(): void {
    if (state === 'off') start()
    void import('./lens.tsx').then((chunk) => setLens(() => chunk.Lens))
  }
  return (
    <main class="page">
      <Header place={name} />
      <h1 class="title">{t('nearby.title')}</h1>
      {place === undefined && (
        <button type="button" class="button wide" data-kind="primary" data-find onClick={find}>
          {t('nearby.find')}
        </button>
      )}
      <p class="muted" role="status">
        {place === 'asked'
          ? t('nearby.finding')
          : place === 'refused'
            ? t('nearby.refused')
            : state === 'none'
              ? t('nearby.no_compass')
              : ''}
      </p>
      {here && (
        <p class="tools">
          {state === 'off' && (
            <button type="button" class="button" data-compass onClick={start}>
              {t('nearby.compass')}
            </button>
          )}
          {!Lens && (
            <button type="button" class="button" data-lens onClick={openLens}>
              {t('nearby.lens')}
            </button>
          )}
        </p>
      )}
      {Lens && placed && (
        <Lens
          heading={heading}
          cards={placed.flatMap(({ branch, way }) => (way ? [{ branch, ...way }] : []))}
          onClose={() => setLens(null)}
        />
      )}
      <ol class="branches">
        {shown.map((branch, n) => (
          <BranchCard
            key={branch.site.id}
            tenant={tenant}
            branch={branch}
            way={placed?.[n]?.way}
            heading={state === 'on' ? heading : undefined}
          />
        ))}
      </ol>
      {shown.length === 0 && <p class="banner">{t('nearby.nobody')}</p>}
    </main>
  )
}

const wayTo = (here: Point, { latitude, longitude }: Branch) =>
  latitude === undefined || longitude === undefined ? undefined : towards(here, { latitude, longitude })

interface CardProps {
  tenant: string
  branch: Branch
  way: { metres: number; bearing: number } | undefined
  heading: number | undefined
}
function BranchCard({ tenant, branch, way, heading }: CardProps) {
  const { site, lines } = branch
  const ahead = way && heading !== undefined ? Math.round(turned(way.bearing - heading)) : undefined
  return (
    <li>
      <a class="card branch" href={`/site/${tenant}/${site.slug}?lang=${currentLanguage()}`}>
        {ahead !== undefined && <Arrow degrees={ahead} />}
        <span class="branch-text">
          <span class="branch-name">{site.name}</span>
          {way && (
            <span class="branch-way">
              <bdi>{distance(way.metres)}</bdi>
              {ahead !== undefined && ` · ${wayOf(ahead)}`}
            </span>
          )}
          <span>{waitAt(branch)}</span>
          {site.address && (
            <span class="muted small">
              <bdi>{site.address}</bdi>
            </span>
          )}
          <span class="branch-lines">
            {lines.slice(0, 8).map((line) => (
              <LineBadge key={line.id} code={line.code} />
            ))}
          </span>
        </span>
      </a>
    </li>
  )
}

/** What is near, read anew while somebody looks; nothing before the place is known. */
function useNear(tenant: string, here: Point | null): Branch[] | null {
  const [near, setNear] = useState<Branch[] | null>(null)
  // A step to the side changes the arrow, not the question.
  const location = here && `${here.longitude.toFixed(3)},${here.latitude.toFixed(3)}`
  useEffect(() => {
    if (location === null) return
    const ask = () =>
      call(arNearby, { tenant, location, radius: RADIUS_METRES, limit: 20 }).then(
        ({ results }) => setNear(results),
        // The list that stands there stays.
        () => {},
      )
    void ask()
    const timer = setInterval(() => document.visibilityState === 'visible' && void ask(), REFRESH_MS)
    return () => clearInterval(timer)
  }, [tenant, location])
  return near
}
