import { useEffect, useState } from 'react'
import { sitesList, type SitesGet } from '../../../data/operations.ts'
import { clockTime } from '../../../ui/format.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { StaleBanner } from '../../../ui/parts/react.ts'
import { linkTo, setSearch, usePlace } from '../shell/router.ts'
import { useCommands, type PageProps, type ShellCommand } from '../shell/shell.ts'
import { serviceName } from '../state/catalogue.ts'
import { serverNow } from '../state/clock.ts'
import { useStore } from '../state/store.ts'
import { FloorActs } from './acts.ts'
import { Alerts } from './alerts.tsx'
import { QueueDrawer } from './drawer.tsx'
import './floor.css'
import './drawer.css'
import './phone.css'
import { Floor, type FloorSheet } from './model.ts'
import { People } from './people.tsx'
import { Replay } from './replay.tsx'
import { FloorSheets } from './sheets.tsx'
import { QueueTile } from './tile.tsx'

/** Chooses the site; one alone is chosen already. */
export default function FloorPage({ shell }: PageProps) {
  const { search } = usePlace()
  const [sites, setSites] = useState<readonly SitesGet[] | null>(null)
  const [acts, setActs] = useState<FloorActs | null>(null)
  useEffect(() => {
    shell.run(sitesList, { is_active: true, limit: 200 }).then(({ results }) => setSites(results), shell.refuse)
  }, [shell])
  const site = sites?.find(({ id }) => String(id) === search.get('site')) ?? sites?.[0]
  const siteId = site?.id
  useEffect(() => {
    if (siteId === undefined) return
    const floor = new Floor(shell, siteId)
    setActs(new FloorActs(floor))
    return () => floor.close()
  }, [shell, siteId])
  if (sites?.length === 0) {
    const setup = shell.pages.find(({ path }) => path === 'admin/setup')
    return (
      <main className="gate">
        <p role="status">{t(setup ? 'floor.no_sites_yet' : 'floor.no_sites')}</p>
        {setup && (
          <a className="button" data-kind="primary" {...linkTo(setup.path)}>
            {t(setup.title)}
          </a>
        )}
      </main>
    )
  }
  if (!acts || !sites || acts.floor.siteId !== siteId)
    return (
      <main className="gate">
        <p role="status">{t('ui.loading')}</p>
      </main>
    )
  return <Branch key={siteId} acts={acts} sites={sites} />
}

function Branch({ acts, sites }: { acts: FloorActs; sites: readonly SitesGet[] }) {
  const { floor } = acts
  const { shell } = floor
  const { search } = usePlace()
  const state = useStore(floor)
  const [sheet, setSheet] = useState<FloorSheet | null>(null)
  const queueId = Number(search.get('queue')) || null
  const day = search.get('replay')
  const openQueue = (id: number | null) => setSearch({ queue: id === null ? null : String(id) })
  const { catalogue } = state
  const tiles = catalogue ? floor.tiles() : []
  const selected = tiles.find(({ queue }) => queue.id === queueId)?.queue
  const aim = selected && { queueId: selected.id }

  const commands: ShellCommand[] = [
    { id: 'move', key: 'm', label: t('floor.key_move'), run: () => setSheet({ kind: 'move' }) },
    { id: 'open', key: 'o', label: t('floor.key_open'), run: () => setSheet({ kind: 'open', ...aim }) },
    {
      id: 'pause',
      key: 'p',
      label: t(selected && !selected.is_active ? 'floor.resume' : 'floor.act_stop'),
      isPossible: () => selected !== undefined,
      run: () => selected && void (selected.is_active ? acts.stopIntake(selected.id) : acts.resumeIntake(selected.id)),
    },
    { id: 'last', key: 'l', label: t('floor.last_ticket'), run: () => setSheet({ kind: 'last_ticket', ...aim }) },
    { id: 'broadcast', key: 'b', label: t('floor.key_broadcast'), run: () => setSheet({ kind: 'broadcast' }) },
    {
      id: 'acknowledge',
      key: 'a',
      label: t('floor.acknowledge'),
      isPossible: () => floor.alerts().some(({ by }) => by === null),
      run() {
        const alert = floor.alerts().find(({ by }) => by === null)
        if (alert) void acts.acknowledge(alert.name)
      },
    },
    {
      id: 'replay',
      key: 'r',
      label: t('floor.replay'),
      run: () => setSearch({ replay: day === null ? 'today' : null }),
    },
    {
      id: 'close',
      key: 'Escape',
      label: t('ui.close'),
      isPossible: () => queueId !== null,
      run: () => openQueue(null),
    },
  ]
  const targets = tiles.slice(0, 9).map(({ queue }, index) => ({
    key: String(index + 1),
    label: catalogue ? serviceName(catalogue, queue.id, currentLanguage()) : '',
    run: () => openQueue(queue.id),
  }))
  useCommands(shell, commands, targets)
  if (!catalogue || !state.floor)
    return (
      <main className="gate">
        <p role="status">{t('ui.loading')}</p>
      </main>
    )
  const { freshness } = state
  const zone = state.floor.site.timezone
  return (
    <>
      <StaleBanner
        kind={freshness === 'fresh' ? null : freshness}
        time={clockTime(new Date(serverNow()).toISOString(), zone)}
      />
      <div className="floor" data-stale={freshness !== 'fresh' || undefined} data-offset={state.view?.offset}>
        <main className="floor-main">
          <header className="floor-head">
            <h1>{state.floor.site.name}</h1>
            {sites.length > 1 && (
              <select
                aria-label={t('floor.site')}
                value={floor.siteId}
                onChange={(event) => setSearch({ site: event.target.value, queue: null })}
              >
                {sites.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </select>
            )}
            <span className="floor-acts">
              {(['open', 'move', 'broadcast', 'replay'] as const).map((id) => {
                const command = commands.find((each) => each.id === id)!
                return (
                  <button key={id} type="button" className="button" data-command={id} onClick={command.run}>
                    {command.label}
                    <kbd className="key" aria-hidden="true">
                      {command.key!.toUpperCase()}
                    </kbd>
                  </button>
                )
              })}
            </span>
          </header>
          {day !== null ? (
            <Replay floor={floor} day={day === 'today' ? '' : day} />
          ) : (
            <>
              <Alerts acts={acts} openQueue={openQueue} />
              <h2 className="visually-hidden">{t('floor.lines')}</h2>
              {tiles.length === 0 ? (
                <p className="muted">{t('floor.no_lines')}</p>
              ) : (
                <ul className="tiles">
                  {tiles.map((tile, index) => (
                    <QueueTile
                      key={tile.queue.id}
                      tile={tile}
                      catalogue={catalogue}
                      place={index + 1}
                      isOpen={tile.queue.id === queueId}
                      onOpen={() => openQueue(tile.queue.id === queueId ? null : tile.queue.id)}
                    />
                  ))}
                </ul>
              )}
              <h2>{t('floor.people')}</h2>
              <People
                agents={state.floor.agents}
                catalogue={catalogue}
                zone={zone}
                onAct={({ id }) => setSheet({ kind: 'agent', agentId: id })}
              />
            </>
          )}
        </main>
        {selected && day === null && (
          <QueueDrawer
            key={selected.id}
            acts={acts}
            queueId={selected.id}
            onSheet={setSheet}
            onClose={() => openQueue(null)}
          />
        )}
      </div>
      {sheet && <FloorSheets acts={acts} sheet={sheet} onSheet={setSheet} />}
    </>
  )
}
