import { useState } from 'react'
import { sitesPoster } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import { problemText } from '../shell/shell.ts'
import { saveFile } from './files.ts'
import type { Api, Row } from './kit/api.ts'
import { CopySite } from './site-copy.tsx'

/** One press: a PDF with the code that opens the site's page, in three languages. */
export function PosterButton({ api, siteId, isPrimary }: { api: Api; siteId: number; isPrimary?: boolean }) {
  const [state, setState] = useState('')
  async function make() {
    setState(t('ui.loading'))
    try {
      const { pdf_base64, file_name } = await api.run(sitesPoster, { id: siteId })
      saveFile(
        file_name,
        'application/pdf',
        Uint8Array.from(atob(pdf_base64), (letter) => letter.charCodeAt(0)),
      )
      setState(t('admin.poster_made'))
    } catch (error) {
      setState(problemText(error))
    }
  }
  return (
    <>
      <button
        type="button"
        className="button"
        data-poster={siteId}
        {...(isPrimary && { 'data-kind': 'primary' })}
        onClick={() => void make()}
      >
        <Icon name="note" /> {t('admin.poster')}
      </button>{' '}
      <span role="status">{state}</span>
    </>
  )
}

function SitePoster({ api, row }: { api: Api; row: Row }) {
  return (
    <section className="section">
      <h2>{t('admin.poster_title')}</h2>
      <p className="muted">{t('admin.poster_about')}</p>
      <p className="row">
        <PosterButton api={api} siteId={row.id} />
        <a className="button" href={`/site/${api.tenant}/${String(row['slug'])}`} target="_blank" rel="noreferrer">
          {t('admin.site_page')}
        </a>
      </p>
    </section>
  )
}

/** Below a site's form. */
export function SiteExtras({ api, row }: { api: Api; row: Row }) {
  return (
    <>
      <SitePoster api={api} row={row} />
      <CopySite api={api} row={row} />
    </>
  )
}
