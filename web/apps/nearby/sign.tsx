import { waitRange } from '../../ui/format.ts'
import { currentLanguage, t } from '../../ui/messages.ts'
import { Header } from '../../ui/public/parts.tsx'
import type { SignProps } from './data.ts'
import { turned } from './geo.ts'
import { Arrow, distance, wayOf } from './parts.tsx'

/** Indoors: the sign that was scanned knows where it stands and which way its reader looks. */
export function SignPage({ name, anchor, targets }: Omit<SignProps, 'page' | 'tenant'>) {
  return (
    <main class="page">
      <Header place={name} />
      <p class="muted">{t('nearby.you_are')}</p>
      <h1 class="title">{anchor.marker_data.label?.[currentLanguage()] ?? anchor.name}</h1>
      <p>{t('nearby.look')}</p>
      <ol class="branches">
        {targets.map((target) => (
          <Way key={target.id} target={target} />
        ))}
      </ol>
      {targets.length === 0 && <p class="banner">{t('nearby.nobody')}</p>}
    </main>
  )
}

function Way({ target }: { target: SignProps['targets'][number] }) {
  const { marker_data, name, turn_degrees, floors, distance_metres, live } = target
  const ahead = turned(turn_degrees)
  const hint = marker_data.hint?.[currentLanguage()]
  return (
    <li class="card branch">
      <Arrow degrees={ahead} />
      <span class="branch-text">
        <span class="branch-name">{marker_data.label?.[currentLanguage()] ?? name}</span>
        <span class="branch-way">
          {wayOf(ahead)} · <bdi>{distance(distance_metres)}</bdi>
        </span>
        {floors !== 0 && <span>{t(floors > 0 ? 'nearby.up' : 'nearby.down', { count: Math.abs(floors) })}</span>}
        {live && (
          <span>
            {live.status === 'open' || live.status === 'closing'
              ? `${waitRange(live.eta_low_seconds, live.eta_high_seconds)} · ${t('nearby.waiting', { count: live.waiting })}`
              : t('nearby.nothing')}
          </span>
        )}
        {hint && <span class="muted small">{hint}</span>}
      </span>
    </li>
  )
}
