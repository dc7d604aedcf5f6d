import './admin.css'
import './form.css'
import { useMemo, type ComponentType } from 'react'
import { hrefOf, navigate } from '../../shell/router.ts'
import type { PageProps } from '../../shell/shell.ts'
import { Api } from './api.ts'
import type { AreaProps } from './resource.tsx'

/** A page of an area below its own path. */
export function inShell(path: string, View: ComponentType<AreaProps>): ComponentType<PageProps> {
  const below = (rest: string) => (rest ? `${path}/${rest}` : path)
  return function ShellPage({ shell, rest }: PageProps) {
    const api = useMemo(() => new Api(shell), [shell])
    return (
      <main className="area admin" data-area={path}>
        <View
          api={api}
          rest={rest.split('/').filter(Boolean)}
          go={(to) => navigate(below(to))}
          href={(to) => hrefOf(below(to))}
        />
      </main>
    )
  }
}
