import { useEffect, useState, type ChangeEvent } from 'react'
import { mediaCreate, mediaGet, tenantsGet, tenantsUpdate, type MediaGet } from '../../../data/operations.ts'
import { local } from '../../../ui/brand.ts'
import { t } from '../../../ui/messages.ts'
import { problemText } from '../shell/shell.ts'
import type { Api } from './kit/api.ts'
import { forgetOptions } from './kit/options.ts'

/** The picture of the organisation: chosen here it is sent, and stands on every screen. */
export function Logo({ api, reload }: { api: Api; reload(): void }) {
  const [media, setMedia] = useState<MediaGet>()
  const [said, setSaid] = useState('')
  const [isBusy, setBusy] = useState(false)
  const load = async () => {
    const { logo_media_id: id } = await api.run(tenantsGet, {})
    setMedia(id === null ? undefined : await api.run(mediaGet, { id }))
  }
  useEffect(() => void load().catch((error: unknown) => setSaid(problemText(error))), [api])
  async function send({ target }: ChangeEvent<HTMLInputElement>) {
    const file = target.files?.[0]
    target.value = ''
    if (!file) return
    setBusy(true)
    setSaid('')
    try {
      const { id, upload_url } = await api.run(mediaCreate, { kind: 'image', name: file.name.slice(0, 200) })
      const sent = await fetch(local(upload_url), { method: 'PUT', body: file })
      if (!sent.ok) return setSaid(t('admin.logo_refused'))
      await api.run(tenantsUpdate, { logo_media_id: id })
      forgetOptions()
      await load()
      reload()
    } catch (error) {
      setSaid(problemText(error))
    } finally {
      setBusy(false)
    }
  }
  const shown = media?.variants.at(-1)
  return (
    <section className="section" data-logo={media?.id ?? ''}>
      <h2>{t('admin.logo')}</h2>
      <p className="muted">{t('admin.logo_about')}</p>
      {shown && <img className="logo-shown" src={local(shown.url)} alt="" />}
      <p className="row">
        <label className="button" data-busy={isBusy}>
          {t('admin.logo_choose')}
          <input
            className="visually-hidden"
            type="file"
            accept="image/*"
            disabled={isBusy}
            onChange={(e) => void send(e)}
          />
        </label>
        {media && (
          <button
            type="button"
            className="button"
            data-kind="quiet"
            onClick={() =>
              void api
                .run(tenantsUpdate, { logo_media_id: null })
                .then(load)
                .then(reload, (error: unknown) => setSaid(problemText(error)))
            }
          >
            {t('admin.logo_remove')}
          </button>
        )}
      </p>
      <p className="problem" role="alert">
        {said}
      </p>
    </section>
  )
}
