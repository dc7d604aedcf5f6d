import { useEffect, useState } from 'react'
import { tenantsUsage } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import type { Desk } from './state/desk.ts'

const AGAIN_MS = 300_000

/** More tickets than agreed: told to those who can do something about it, and nobody is turned away. */
export function Quota({ desk }: { desk: Desk }) {
  const [agreed, setAgreed] = useState<number | null>(null)
  useEffect(() => {
    const look = () =>
      void desk.run(tenantsUsage, {}).then(
        ({ tickets_per_day, is_exceeded }) => setAgreed(is_exceeded ? tickets_per_day : null),
        () => {},
      )
    look()
    const timer = setInterval(look, AGAIN_MS)
    return () => clearInterval(timer)
  }, [desk])
  if (agreed === null) return null
  return (
    <p className="banner" role="status" data-quota={agreed}>
      <Icon name="alert" /> {t('console.quota', { count: agreed })}
    </p>
  )
}
