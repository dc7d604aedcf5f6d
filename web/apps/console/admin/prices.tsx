import { useCallback, useEffect, useState, type FormEvent } from 'react'
import { templatesPrices, templatesSetPrice, type TemplatesPrices } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { problemText } from '../shell/shell.ts'
import type { Api } from './kit/api.ts'
import { valueLabel } from './kit/words.ts'

type Price = TemplatesPrices['results'][number]
const CHANNELS = ['sms', 'whatsapp', 'email', 'push'] as const
const MICROS = 1_000_000

/** What a message costs by channel, so that a text is previewed with its price. */
export function Prices({ api }: { api: Api }) {
  const [prices, setPrices] = useState<readonly Price[]>()
  const [said, setSaid] = useState('')
  const load = useCallback(
    () =>
      void api.run(templatesPrices, {}).then(
        ({ results }) => setPrices(results),
        (error: unknown) => setSaid(problemText(error)),
      ),
    [api],
  )
  useEffect(load, [load])
  function submit(event: FormEvent<HTMLFormElement>, channel: Price['channel']) {
    event.preventDefault()
    const { price, currency } = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>
    const price_micros = Math.round(Number(price!.replace(',', '.')) * MICROS)
    const input = { channel, price_micros, currency: currency!.toUpperCase() }
    api.run(templatesSetPrice, input).then(
      () => {
        setSaid(t('admin.saved'))
        load()
      },
      (error: unknown) => setSaid(problemText(error)),
    )
  }
  if (!prices) return null
  return (
    <details className="fold" data-prices>
      <summary>{t('admin.prices')}</summary>
      <p className="muted">{t('admin.prices_about')}</p>
      <ul className="entries">
        {CHANNELS.map((channel) => {
          const own = prices.find((each) => each.channel === channel)
          const name = valueLabel('channels', channel)
          return (
            <li key={channel}>
              <form className="row" onSubmit={(event) => submit(event, channel)} data-price={channel}>
                <strong>{name}</strong>
                <input
                  name="price"
                  className="amount"
                  dir="ltr"
                  inputMode="decimal"
                  required
                  pattern="\d+([.,]\d{1,6})?"
                  aria-label={t('admin.price_of', { channel: name })}
                  defaultValue={own ? own.price_micros / MICROS : ''}
                />
                <input
                  name="currency"
                  className="currency"
                  dir="ltr"
                  required
                  pattern="[A-Za-z]{3}"
                  maxLength={3}
                  aria-label={t('admin.currency')}
                  defaultValue={own?.currency ?? 'EUR'}
                />
                <button type="submit" className="button">
                  {t('admin.save')}
                </button>
              </form>
            </li>
          )
        })}
      </ul>
      <p role="status">{said}</p>
    </details>
  )
}
