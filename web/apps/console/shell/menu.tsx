import { useEffect, useRef } from 'react'
import { t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import { keyLabel } from '../keys/stroke.ts'
import { useStore } from '../state/store.ts'
import { linkTo } from './router.ts'
import type { Area, Page, Shell } from './shell.ts'

/** The areas this person has pages in: along the top, at the thumb on a phone. */
export function Bar({ shell, current }: { shell: Shell; current: Page | null }) {
  const { isGoing } = useStore(shell)
  const firsts = new Map<Area, Page>()
  for (const page of shell.pages) if (!firsts.has(page.area)) firsts.set(page.area, page)
  return (
    <header className="bar">
      <p className="bar-name">{shell.session.tenant?.name ?? 'SmartQueue'}</p>
      <nav aria-label={t('console.pages')} data-going={isGoing || undefined}>
        {[...firsts].map(([area, page]) => (
          <a
            key={page.id}
            {...linkTo(page.path)}
            data-page={page.id}
            aria-current={area === current?.area ? 'page' : undefined}
          >
            <Icon name={area.icon} />
            <span>{t(area.title)}</span>
            {isGoing && page.key && <kbd className="key">{keyLabel(page.key)}</kbd>}
          </a>
        ))}
      </nav>
      <button type="button" className="button" data-kind="quiet" onClick={() => shell.set({ sheet: 'palette' })}>
        <Icon name="search" />
        <span className="bar-wide">{t('console.command_palette')}</span>
        <kbd className="key bar-key" aria-hidden="true">
          Ctrl K
        </kbd>
      </button>
      <button
        type="button"
        className="button"
        data-kind="quiet"
        data-account=""
        onClick={() => shell.set({ sheet: 'account' })}
      >
        <Icon name="person" />
        <span className="bar-wide">{shell.session.user.name}</span>
        <span className="visually-hidden">{t('console.account')}</span>
      </button>
    </header>
  )
}

/** The other pages of the area, where it has several: below headings where it has many. */
export function Subpages({ shell, current }: { shell: Shell; current: Page }) {
  const { isGoing } = useStore(shell)
  const pages = shell.pages.filter(({ area }) => area === current.area)
  const box = useRef<HTMLElement>(null)
  // A long menu scrolls by itself: whoever comes by a key or an address sees where they are.
  useEffect(() => void box.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' }), [current])
  if (pages.length < 2) return null
  return (
    <nav className="subpages" aria-label={t(current.area.title)} ref={box}>
      {[...Map.groupBy(pages, ({ group }) => group)].map(([group, own]) => (
        <ul key={group ?? ''} aria-label={group && t(group)}>
          {group && (
            <li className="subpages-group" aria-hidden="true">
              {t(group)}
            </li>
          )}
          {own.map((page) => (
            <li key={page.id}>
              <a {...linkTo(page.path)} data-page={page.id} aria-current={page === current ? 'page' : undefined}>
                <span>{t(page.title)}</span>
                {isGoing && page.key && <kbd className="key">{keyLabel(page.key)}</kbd>}
              </a>
            </li>
          ))}
        </ul>
      ))}
    </nav>
  )
}
