import { useEffect, useState } from 'react'
import { templatesPreview, type TemplatesPreview } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { problemText } from '../shell/shell.ts'
import type { Api } from './kit/api.ts'
import type { Values } from './kit/model.ts'

/** What people would get, with sample values, while it is being written; and what it costs. */
export function TemplatePreview({ api, values }: { api: Api; values: Values }) {
  const { event, channel, language, body, subject } = values
  const [shown, setShown] = useState<TemplatesPreview>()
  const [problem, setProblem] = useState('')
  useEffect(() => {
    if (!event || !channel || !language) return
    let isWanted = true
    const timer = setTimeout(() => {
      const input = { event, channel, language, ...(body ? { body } : {}), ...(subject ? { subject } : {}) }
      api.run(templatesPreview, input as never).then(
        (preview) => {
          if (!isWanted) return
          setShown(preview)
          setProblem('')
        },
        (error: unknown) => isWanted && setProblem(problemText(error)),
      )
    }, 250)
    return () => {
      isWanted = false
      clearTimeout(timer)
    }
  }, [api, event, channel, language, body, subject])
  if (!shown) return null
  return (
    <section className="preview" aria-label={t('admin.preview')} data-preview>
      <h2>{t('admin.preview')}</h2>
      <div className="bubble" lang={String(language)} dir={language === 'ar' ? 'rtl' : 'ltr'}>
        {shown.subject && <strong>{shown.subject}</strong>}
        <p>{shown.body}</p>
      </div>
      <p className="muted">{t('admin.segments', { count: shown.segments, units: shown.units })}</p>
      <p className="problem" role="status">
        {problem}
      </p>
    </section>
  )
}
