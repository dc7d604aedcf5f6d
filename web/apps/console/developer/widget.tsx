import { useEffect, useState } from 'react'
import { sitesList, type SitesGet } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import type { AreaProps } from '../admin/kit/resource.tsx'

const KINDS = ['join', 'booking'] as const

/** The script tag for a page of one's own. */
export function Widget({ api }: AreaProps) {
  const [sites, setSites] = useState<SitesGet[]>([])
  const [chosen, setSite] = useState('')
  const [kind, setKind] = useState<(typeof KINDS)[number]>('join')
  const [language, setLanguage] = useState('fr')
  const [accent, setAccent] = useState('')
  useEffect(() => void api.all<SitesGet>(sitesList).then(setSites, () => {}), [api])
  const site = chosen || (sites[0]?.slug ?? '')
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
    </>
  )
}
