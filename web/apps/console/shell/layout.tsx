import { Component, useEffect, useLayoutEffect, useState, type ComponentType, type ReactNode } from 'react'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import { useStore } from '../state/store.ts'
import { Impersonation } from './impersonation.tsx'
import { listenForPages } from './keys.ts'
import { Bar, Subpages } from './menu.tsx'
import { PlatformNotices } from './notices.tsx'
import { navigate, usePlace } from './router.ts'
import { ShellSheets } from './sheets.tsx'
import { pageOf, type Page, type PageProps, type Shell } from './shell.ts'

/** The menu where there is more than one page, and the page that the address asks for. */
export function Layout({ shell }: { shell: Shell }) {
  const { session } = shell
  const { path } = usePlace()
  const { desks, notice } = useStore(shell)
  useLayoutEffect(() => listenForPages(shell), [shell])
  const { pages } = shell
  const asked = pageOf(pages, path)
  const first = pages[0]
  const isElsewhere = desks !== null && first !== undefined && (path === '' || shell.lacksDesk(path))
  useEffect(() => {
    if (isElsewhere) navigate(first.path, { isReplacing: true })
  }, [isElsewhere, first])
  useEffect(() => shell.set({ notice: null }), [shell, path])

  return (
    <>
      {session.impersonation && <Impersonation {...session.impersonation} timeZone={shell.timeZone} />}
      <PlatformNotices shell={shell} />
      {pages.length > 1 && <Bar shell={shell} current={asked?.page ?? null} />}
      <div className="place">
        {asked && <Subpages shell={shell} current={asked.page} />}
        <div className="page">
          {asked ? (
            <Opened key={asked.page.id} shell={shell} page={asked.page} rest={asked.rest} />
          ) : (
            <NoPage shell={shell} path={path} isLoading={isElsewhere || (path === '' && desks === null)} />
          )}
        </div>
      </div>
      {notice && (
        <p className="shell-notice" role="status" data-kind={notice.kind}>
          {notice.kind === 'problem' && <Icon name="alert" />} {notice.text}
          <button
            type="button"
            className="button"
            data-kind="quiet"
            aria-label={t('ui.close')}
            onClick={() => shell.set({ notice: null })}
          >
            <Icon name="cross" />
          </button>
        </p>
      )}
      <ShellSheets shell={shell} />
    </>
  )
}

/** A page's component with its texts in the language of the document. */
async function loadPage(page: Page): Promise<ComponentType<PageProps>> {
  const [module] = await Promise.all([page.load(), page.area.texts?.[currentLanguage()]()])
  return module.default
}

/** A page and, until it is there, that it is coming. */
function Opened({ shell, page, rest }: PageProps & { page: Page }) {
  const [View, setView] = useState<ComponentType<PageProps> | null>(null)
  const [hasFailed, setFailed] = useState(false)
  useEffect(() => {
    let isWanted = true
    if (page.id !== 'desk') document.title = `${t(page.title)} · SmartQueue`
    loadPage(page).then(
      (view) => isWanted && setView(() => view),
      () => isWanted && setFailed(true),
    )
    return () => void (isWanted = false)
  }, [page])
  if (View && !hasFailed)
    return (
      <Boundary onFail={() => setFailed(true)}>
        <View shell={shell} rest={rest} />
      </Boundary>
    )
  return (
    <main className="gate">
      <p role={hasFailed ? 'alert' : 'status'}>{t(hasFailed ? 'console.page_failed' : 'ui.loading')}</p>
      {hasFailed && (
        <button type="button" className="button" onClick={() => location.reload()}>
          {t('console.reload')}
        </button>
      )}
    </main>
  )
}

/** A fault of one page leaves the menu in place. */
class Boundary extends Component<{ onFail(): void; children: ReactNode }> {
  override componentDidCatch(): void {
    this.props.onFail()
  }
  static getDerivedStateFromError(): object {
    return { hasFailed: true }
  }
  override state = { hasFailed: false }
  override render(): ReactNode {
    return this.state.hasFailed ? null : this.props.children
  }
}

function NoPage({ shell, path, isLoading }: { shell: Shell; path: string; isLoading: boolean }) {
  const hasPages = shell.pages.length > 0
  return (
    <main className="gate">
      <p role="status" data-no-page="">
        {t(
          isLoading
            ? 'ui.loading'
            : hasPages
              ? 'console.page_refused'
              : shell.lacksDesk(path)
                ? 'console.no_desk'
                : 'console.no_pages',
        )}
      </p>
      {hasPages && !isLoading && (
        <button type="button" className="button" onClick={() => navigate(shell.pages[0]!.path)}>
          {t(shell.pages[0]!.title)}
        </button>
      )}
      {!hasPages && (
        <button type="button" className="button" onClick={() => void shell.signOut()}>
          {t('console.sign_out')}
        </button>
      )}
    </main>
  )
}
