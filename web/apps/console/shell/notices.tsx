import { useEffect, useState } from 'react'
import type { Language } from '../../../../shared/format.ts'
import { platformStatus, type PlatformStatus } from '../../../data/operations.ts'
import { currentLanguage } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import type { Shell } from './shell.ts'

type Notice = PlatformStatus['notices'][number]
const EVERY_MS = 60_000

/** What a notice says to a reader: in their language, else in the first that it has. */
export const noticeText = ({ texts }: Pick<Notice, 'texts'>, language: Language): string =>
  texts[language] ?? texts.fr ?? texts.en ?? texts.ar ?? ''

/** What the platform tells everybody who works here, above whatever is open. */
export function PlatformNotices({ shell }: { shell: Shell }) {
  const [notices, setNotices] = useState<readonly Notice[]>([])
  useEffect(() => {
    const look = () =>
      void shell.run(platformStatus, {}).then(
        ({ notices: all }) =>
          setNotices(all.filter(({ ended_at, surfaces }) => ended_at === null && surfaces.includes('console'))),
        () => {},
      )
    look()
    const timer = setInterval(look, EVERY_MS)
    return () => clearInterval(timer)
  }, [shell])
  return notices.map((notice) => (
    <p key={notice.id} className="platform-notice" role="status" data-level={notice.level}>
      <Icon name={notice.level === 'information' ? 'bell' : 'alert'} />{' '}
      <bdi>{noticeText(notice, currentLanguage())}</bdi>
    </p>
  ))
}
