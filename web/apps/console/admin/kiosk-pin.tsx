import { kiosksSetPin } from '../../../data/operations.ts'
import { kiosksSetPinInput } from '../../../data/schemas.ts'
import { t } from '../../../ui/messages.ts'
import type { Api, Row } from './kit/api.ts'
import { Form } from './kit/form.tsx'

/** What opens the machine's staff page: set or taken away, never shown. */
export function KioskPin({ api, row, reload }: { api: Api; row: Row; reload(): void }) {
  const isSet = row['has_staff_pin'] === true
  return (
    <section className="section" data-staff-pin={isSet}>
      <h2>{t('admin.staff_pin')}</h2>
      <p className="muted">{t(isSet ? 'admin.staff_pin_set' : 'admin.staff_pin_none')}</p>
      <Form
        api={api}
        noun="staff_pin"
        schema={kiosksSetPinInput}
        submitLabel={t('admin.save')}
        send={async ({ pin }) => {
          await api.run(kiosksSetPin, { id: row.id, pin: (pin as string | undefined) ?? null })
          reload()
        }}
      />
    </section>
  )
}
