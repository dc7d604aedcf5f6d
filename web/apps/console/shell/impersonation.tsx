import { clockTime } from '../../../ui/format.ts'
import { t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'

/** An operator of the platform works as this person: every page says so. */
export function Impersonation(props: { operator: string; reason: string; ends_at: string; timeZone: string }) {
  const { operator, reason, ends_at, timeZone } = props
  return (
    <p className="impersonation" role="alert">
      <Icon name="alert" /> {t('console.impersonation', { operator, reason, time: clockTime(ends_at, timeZone) })}
    </p>
  )
}
