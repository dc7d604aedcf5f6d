import { useState } from 'react'
import { t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import type { Row } from '../admin/kit/api.ts'

/** Shown once: the server keeps a hash. */
function Once({ secret, about }: { secret: string; about: string }) {
  const [isCopied, setCopied] = useState(false)
  return (
    <section className="card-wide" data-secret="">
      <p>
        <Icon name="key" /> {about}
      </p>
      <pre className="snippet">{secret}</pre>
      <p className="row">
        <button
          type="button"
          className="button"
          data-kind="primary"
          onClick={() => void navigator.clipboard.writeText(secret).then(() => setCopied(true))}
        >
          {t('developer.copy')}
        </button>
        <span role="status">{isCopied && t('developer.copied')}</span>
      </p>
    </section>
  )
}
export const KeyShown = ({ made }: { made: Row }) => (
  <Once secret={String(made['key'])} about={t('developer.key_once')} />
)
export const SecretShown = ({ made }: { made: Row }) => (
  <Once secret={String(made['secret'])} about={t('developer.secret_once')} />
)
