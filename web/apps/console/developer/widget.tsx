import { useEffect, useState } from 'react'
import { sitesList, type SitesGet } from '../../../data/operations.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import type { AreaProps } from '../admin/kit/resource.tsx'

const KINDS = ['join', 'booking'] as const
/** Whoever drags along the colours is shown the one where they rest. */
const REST_MS = 250

/** The script tag for a page of one's own, and what it does there. */
export function Widget({ api }: AreaProps) {
  const [sites, setSites] = useState<SitesGet[]>([])
  const [chosen, setSite] = useState('')
  const [kind, setKind] = useState<(typeof KINDS)[number]>('join')
  const [language, setLanguage] = useState<string>(currentLanguage())
  const [accent, setAccent] = useState('')
  useEffect(() => void api.all<SitesGet>(sitesList).then(setSites, () => {}), [api])
  const site = chosen || (sites[0]?.slug ?? '')
  const query = String(new URLSearchParams({ tenant: api.tenant, site, kind, lang: language, accent }))
  const [shown, setShown] = useState('')
  useEffect(() => {
    // Of no site there is nothing to show.
    if (!site) return
    const timer = setTimeout(() => setShown(query), REST_MS)
    return () => clearTimeout(timer)
  }, [query, site])
  const attributes = [
    `src="${location.origin}/widget.js"`,
    `data-tenant="${api.tenant}"`,
    `data-site="${site}"`,
    ...(kind === 'join' ? [] : [`data-kind="${kind}"`]),
    `data-lang="${language}"`,
    ...(accent ? [`data-accent="${accent}"`] : []),
    'async',
  ]
  return (
    <>
      <h1>{t('developer.widget')}</h1>
      <p className="muted about">{t('developer.widget_about')}</p>
      <div className="group">
        <label className="field">
          {t('admin.field.site_id')}
          <select value={site} onChange={(e) => setSite(e.target.value)}>
            {sites.map(({ slug, name }) => (
              <option key={slug} value={slug}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          {t('admin.field.kind')}
          <select value={kind} onChange={(e) => setKind(e.target.value as typeof kind)}>
            {KINDS.map((each) => (
              <option key={each} value={each}>
                {t(`developer.widget_${each}`)}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          {t('admin.field.language')}
          <select value={language} onChange={(e) => setLanguage(e.target.value)}>
            {(['fr', 'en', 'ar'] as const).map((each) => (
              <option key={each} value={each}>
                {t(`admin.language.${each}`)}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          {t('admin.field.brand_colour')}
          <input type="color" value={accent || '#0a4da3'} onChange={(e) => setAccent(e.target.value)} />
        </label>
      </div>
      <pre className="snippet" data-widget="">{`<script ${attributes.join(' ')}></script>`}</pre>
      <p className="muted">{t('developer.widget_origin')}</p>
      {site && shown && (
        <section className="section">
          <h2>{t('developer.widget_preview')}</h2>
          <p className="muted about">{t('developer.widget_preview_about')}</p>
          <iframe
            className="widget-preview"
            title={t('developer.widget_preview')}
            src={`/widget-preview?${shown}`}
            inert
            data-preview={shown}
          />
        </section>
      )}
    </>
  )
}
