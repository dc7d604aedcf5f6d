import { useEffect, useState } from 'preact/hooks'
import { t } from '../../ui/messages.ts'
import { Icon } from '../../ui/parts/preact.ts'
import { canPush, subscribe } from './push.ts'
import type { Ring } from './ring.ts'

/** One sheet for all ways of being told; nothing is asked of the browser before a tap here. */
export function NotifySheet({ token, pushKey, ring }: { token: string; pushKey: string | undefined; ring: Ring }) {
  // The server cannot know what this browser can: the button comes with the scripts.
  const [isReady, setReady] = useState(false)
  const [isOpen, setOpen] = useState(false)
  const [said, setSaid] = useState('')
  useEffect(() => setReady(true), [])
  async function askForPush(key: string): Promise<void> {
    const outcome = await subscribe(token, key)
    setSaid(
      t(outcome === 'on' ? 'visitor.push_on' : outcome === 'denied' ? 'visitor.push_denied' : 'visitor.push_failed'),
    )
    // Refused: the other way stays in reach.
    setOpen(outcome !== 'on')
  }
  if (!isReady)
    return (
      // Only scripts can do it: until then its room is kept, so that nothing moves when they come.
      <div class="bottom kept" aria-hidden="true">
        <span class="button wide" data-kind="primary">
          {t('visitor.notify')}
        </span>
      </div>
    )
  return (
    <div class="bottom">
      {said && (
        <p class="card" role="status">
          <Icon name="check" /> {said}
        </p>
      )}
      {isOpen && (
        <section class="sheet card" aria-label={t('visitor.notify_title')}>
          <p class="subtitle">{t('visitor.notify_title')}</p>
          <button
            type="button"
            class="button wide choice"
            onClick={() => {
              void ring.turnOn()
              setSaid(t('visitor.ring_on'))
              setOpen(false)
            }}
          >
            <Icon name="bell" />
            <span>
              {t('visitor.ring')} <small>{t('visitor.ring_hint')}</small>
            </span>
          </button>
          {pushKey && canPush() && (
            <button type="button" class="button wide choice" onClick={() => void askForPush(pushKey)}>
              <Icon name="phone" />
              <span>
                {t('visitor.push')} <small>{t('visitor.push_hint')}</small>
              </span>
            </button>
          )}
        </section>
      )}
      <button
        type="button"
        class="button wide"
        data-kind="primary"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {t('visitor.notify')}
      </button>
    </div>
  )
}
