import { languageTag } from '../../../../../shared/format.ts'
import { clockTime } from '../../../../ui/format.ts'
import { currentLanguage, t } from '../../../../ui/messages.ts'
import { Code, Icon, LineBadge } from '../../../../ui/parts/react.ts'
import type { Api, Row } from './api.ts'
import { nounOf } from './model.ts'
import { useOptions } from './options.ts'
import { valueLabel, words } from './words.ts'

const INSTANT = /^\d{4}-\d\d-\d\dT/

/** A value of a list in words: never a raw id, code of a state or date. */
export function Cell({ api, row, name }: { api: Api; row: Row; name: string }) {
  const value = row[name]
  if (name === 'name' && typeof row['shape'] === 'string' && typeof row['code'] === 'string')
    return (
      <>
        <LineBadge code={row['code']} /> {String(value)}
      </>
    )
  if (value === null || value === undefined || value === '')
    return <span className="muted">{words(`admin.no.${name}`, 'admin.none')}</span>
  if (typeof value === 'boolean')
    return (
      <span className={value ? '' : 'muted'}>
        <Icon name={value ? 'check' : 'cross'} /> {t(value ? 'admin.yes' : 'admin.no_word')}
      </span>
    )
  if (nounOf(name)) return <Named api={api} noun={nounOf(name)} ids={[value].flat() as number[]} />
  if (Array.isArray(value)) return <>{value.map((each) => valueLabel(name, String(each))).join(', ')}</>
  if (typeof value === 'number')
    return (
      <Code>
        {name.endsWith('_seconds') ? exactDuration(value) : value.toLocaleString(languageTag(currentLanguage()))}
      </Code>
    )
  if (typeof value === 'string' && INSTANT.test(value)) return <Moment at={value} zone={api.timeZone} />
  if (typeof value === 'string' && /^(code|prefix|url|email|slug|number_prefix)$/.test(name))
    return <Code>{value}</Code>
  if (typeof value === 'string') return <bdi>{valueLabelOr(name, value)}</bdi>
  return <bdi>{JSON.stringify(value)}</bdi>
}
/** In minutes where nothing is lost by it. */
const exactDuration = (seconds: number) =>
  new Intl.NumberFormat(languageTag(currentLanguage()), {
    style: 'unit',
    unit: seconds % 60 === 0 ? 'minute' : 'second',
  }).format(seconds % 60 === 0 ? seconds / 60 : seconds)

/** Free text stays what it is. */
const valueLabelOr = (name: string, value: string) => {
  const label = valueLabel(name, value)
  return label === `channel.${value}` ? value : label
}

function Named({ api, noun, ids }: { api: Api; noun: string; ids: readonly number[] }) {
  const options = useOptions(api, noun)
  return <>{ids.map((id) => options?.find((each) => each.id === id)?.label ?? '…').join(', ') || t('admin.none')}</>
}

/** Day and time in the organisation's zone. */
export const Moment = ({ at, zone }: { at: string; zone: string }) => (
  <time dateTime={at}>
    {dayOf(at, zone)} <Code>{clockTime(at, zone)}</Code>
  </time>
)
const dayOf = (at: string, timeZone: string) =>
  new Intl.DateTimeFormat(languageTag(currentLanguage()), { dateStyle: 'medium', timeZone }).format(new Date(at))
