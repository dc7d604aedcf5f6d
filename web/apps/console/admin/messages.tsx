import { useEffect, useState } from 'react'
import { templatesPreview, type TemplatesPreview } from '../../../data/operations.ts'
import { languageTag } from '../../../../shared/format.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
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
      <p className="muted">
        {t('admin.segments', { count: shown.segments, units: shown.units })}
        {shown.cost_micros !== null && shown.currency !== null && (
          <span data-cost={shown.cost_micros}>
            {' '}
            · {t('admin.cost', { amount: money(shown.cost_micros, shown.currency) })}
          </span>
        )}
      </p>
      <p className="problem" role="status">
        {problem}
      </p>
    </section>
  )
}

/** Small sums keep their thousandths: a message costs a few of them. */
const money = (micros: number, currency: string) =>
  new Intl.NumberFormat(languageTag(currentLanguage()), {
    style: 'currency',
    currency,
    maximumFractionDigits: 4,
  }).format(micros / 1_000_000)
