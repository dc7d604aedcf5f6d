import { currentLanguage, t } from '../../../ui/messages.ts'
import { weekdayName } from './data.ts'
import type { Row } from './figures.tsx'

/** How many came, hour by weekday: a table whose cells are the darker the more came. Rows: weekday and hour, people. */
export function Heat({ rows }: { rows: readonly Row[] }) {
  const count = new Map(rows.map(({ key, cells }) => [key, cells[2] as number]))
  const hours = [...new Set(rows.map(({ key }) => Number(key.split('-')[1])))].toSorted((a, b) => a - b)
  const span = hours.length > 0 ? Array.from({ length: hours.at(-1)! - hours[0]! + 1 }, (_, i) => hours[0]! + i) : []
  // From the quietest to the busiest hour in four shades, or differences would drown.
  const least = Math.min(...count.values())
  const most = Math.max(...count.values())
  const shade = (people: number) =>
    people === 0 ? 0 : most === least ? 2 : 1 + Math.min(3, Math.floor(((people - least) / (most - least)) * 4))
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label={t('analytics.heat')}>
      <table className="heat">
        <thead>
          <tr>
            <th scope="col">
              <span className="visually-hidden">{t('analytics.weekday')}</span>
            </th>
            {span.map((hour) => (
              <th key={hour} scope="col">
                {hour}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[1, 2, 3, 4, 5, 6, 7].map((weekday) => (
            <tr key={weekday}>
              <th scope="row">{weekdayName(weekday, currentLanguage())}</th>
              {span.map((hour) => {
                const people = count.get(`${weekday}-${hour}`) ?? 0
                return (
                  <td key={hour} data-cell={`${weekday}-${hour}`} data-people={people} data-level={shade(people)}>
                    {people || ''}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
