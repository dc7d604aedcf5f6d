import { useState } from 'react'
import { devicesPair } from '../../../data/operations.ts'
import { devicesPairInput } from '../../../data/schemas.ts'
import { t } from '../../../ui/messages.ts'
import { usePlace } from '../shell/router.ts'
import type { Api } from './kit/api.ts'
import { Form } from './kit/form.tsx'

/** Adopts the machine that shows a code; the machine's QR code leads here with it (`?pair=`). */
export function PairDevice({ api, reload }: { api: Api; reload(): void }) {
  const code = usePlace().search.get('pair')
  const [isOpen, setOpen] = useState(code !== null)
  if (!isOpen)
    return (
      <p>
        <button type="button" className="button" data-kind="primary" data-pair="" onClick={() => setOpen(true)}>
          {t('admin.pair')}
        </button>
      </p>
    )
  return (
    <section className="card-wide" aria-label={t('admin.pair')}>
      <p className="muted">{t('admin.pair_how')}</p>
      <Form
        api={api}
        noun="pairing"
        schema={devicesPairInput}
        {...(code !== null && { prefilled: { code } })}
        submitLabel={t('admin.pair')}
        send={async (values) => {
          await api.run(devicesPair, { ...values, code: String(values['code']).trim().toUpperCase() } as never)
          setOpen(false)
          reload()
        }}
      />
    </section>
  )
}
