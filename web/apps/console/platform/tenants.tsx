import { useCallback, useEffect, useState, type FormEvent } from 'react'
import {
  invitationsCreateFirst,
  invitationsFirst,
  peopleList,
  tenantsCreate,
  tenantsList,
  tenantsQuotas,
  tenantsRestore,
  tenantsSetQuotas,
  tenantsSuspend,
  tenantsUsed,
  usersImpersonate,
  type InvitationsFirst,
  type TenantsList,
  type TenantsUsed,
} from '../../../data/operations.ts'
import { tenantsCreateInput, tenantsSetQuotasInput } from '../../../data/schemas.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { Code, Icon } from '../../../ui/parts/react.ts'
import type { Api } from '../admin/kit/api.ts'
import { Moment } from '../admin/kit/cell.tsx'
import { Form } from '../admin/kit/form.tsx'
import type { Values } from '../admin/kit/model.ts'
import { follow, type AreaProps } from '../admin/kit/resource.tsx'
import { problemText } from '../shell/shell.ts'
import { Tile } from './health.tsx'
import { Proof } from '../admin/proof.tsx'

type Overview = TenantsList['results'][number]
const PAGE = 50

/** Every organisation and how it fares. */
export function Tenants(props: AreaProps) {
  const { api, rest, go, href } = props
  const [rows, setRows] = useState<Overview[]>()
  const [q, setQ] = useState('')
  const [problem, setProblem] = useState('')
  const load = useCallback(
    async (before?: number) => {
      try {
        const { results } = await api.run(tenantsList, { limit: PAGE, ...(q && { q }), ...(before && { before }) })
        setRows((known) => (before ? [...(known ?? []), ...results] : results))
        setProblem('')
      } catch (error) {
        setProblem(problemText(error))
      }
    },
    [api, q],
  )
  useEffect(() => {
    const timer = setTimeout(() => void load(), q ? 250 : 0)
    return () => clearTimeout(timer)
  }, [load, q])
  if (rest[0] === 'new')
    return (
      <>
        <h1>{t('platform.new_tenant')}</h1>
        <Form
          api={api}
          noun="tenants"
          schema={tenantsCreateInput}
          prefilled={{ locale: currentLanguage(), timezone: Intl.DateTimeFormat().resolvedOptions().timeZone }}
          send={async (values) => {
            const { id } = await api.run(tenantsCreate, values as never)
            await load()
            go(String(id))
          }}
        />
      </>
    )
  const chosen = rows?.find(({ id }) => String(id) === rest[0])
  if (chosen) return <One {...props} row={chosen} reload={() => void load()} />
  return (
    <>
      <header className="page-head">
        <h1>{t('platform.tenants')}</h1>
        <a className="button" data-kind="primary" href={href('new')} onClick={follow(go, 'new')}>
          {t('platform.new_tenant')}
        </a>
      </header>
      <label className="only">
        {t('admin.search')}
        <input type="search" value={q} dir="auto" onChange={(e) => setQ(e.target.value)} />
      </label>
      <p className="problem" role="alert">
        {problem}
      </p>
      <div className="table-box" tabIndex={0} role="region" aria-label={t('platform.tenants')}>
        <table className="table">
          <thead>
            <tr>
              {(
                [
                  'name',
                  'state',
                  'tickets_today',
                  'waiting',
                  'devices_down',
                  'webhooks_failing',
                  'last_ticket_at',
                ] as const
              ).map((name) => (
                <th key={name} scope="col">
                  {t(`admin.field.${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows?.map((row) => (
              <tr key={row.id} data-tenant={row.slug}>
                <th scope="row" aria-label={row.name}>
                  <a href={href(String(row.id))} onClick={follow(go, String(row.id))}>
                    <bdi>{row.name}</bdi>
                  </a>
                </th>
                <td>
                  <State row={row} />
                </td>
                <td>
                  <Code>{String(row.tickets_today)}</Code>
                </td>
                <td>
                  <Code>{String(row.waiting)}</Code>
                </td>
                <td className={row.devices_down ? 'fault' : ''}>
                  <Code>{String(row.devices_down)}</Code>
                </td>
                <td className={row.webhooks_failing ? 'fault' : ''}>
                  <Code>{String(row.webhooks_failing)}</Code>
                </td>
                <td>{row.last_ticket_at ? <Moment at={row.last_ticket_at} zone={row.timezone} /> : '—'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows && rows.length > 0 && rows.length % PAGE === 0 && (
        <button type="button" className="button" onClick={() => void load(rows.at(-1)!.id)}>
          {t('admin.more')}
        </button>
      )}
    </>
  )
}
const State = ({ row }: { row: Overview }) => (
  <span className={row.is_active ? 'saved' : 'fault'}>
    <Icon name={row.is_active ? 'check' : 'alert'} /> {t(row.is_active ? 'platform.active' : 'platform.suspended')}
  </span>
)

function One({ api, row, reload, go, href }: AreaProps & { row: Overview; reload(): void }) {
  const [quotas, setQuotas] = useState<Values>()
  const [said, setSaid] = useState('')
  const fail = (error: unknown) => setSaid(problemText(error))
  useEffect(
    () =>
      void api
        .run(tenantsQuotas, { id: row.id })
        .then(({ quotas: known }) => setQuotas({ id: row.id, ...known }), fail),
    [api, row.id],
  )
  function suspend(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const reason = String(new FormData(event.currentTarget).get('reason'))
    api.run(tenantsSuspend, { id: row.id, reason }).then(reload, fail)
  }
  return (
    <>
      <p>
        <a href={href('')} onClick={follow(go, '')}>
          <Icon name="back" /> {t('platform.tenants')}
        </a>
      </p>
      <header className="page-head">
        <h1>
          <bdi>{row.name}</bdi>
        </h1>
        <State row={row} />
      </header>
      <p>
        <Code>{row.slug}</Code> <bdi>{row.suspended_reason}</bdi>
      </p>
      <Proof api={api} />
      <p role="status" className="problem">
        {said}
      </p>
      {row.is_active ? (
        <form className="row" onSubmit={suspend} data-suspend={row.id}>
          <label>
            {t('platform.suspend_why')}
            <input name="reason" dir="auto" minLength={10} maxLength={500} required />
          </label>
          <button type="submit" className="button">
            {t('platform.suspend')}
          </button>
        </form>
      ) : (
        <p>
          <button
            type="button"
            className="button"
            data-kind="primary"
            data-restore={row.id}
            onClick={() => void api.run(tenantsRestore, { id: row.id }).then(reload, fail)}
          >
            {t('platform.restore')}
          </button>
        </p>
      )}
      <First api={api} row={row} />
      <Used api={api} id={row.id} />
      <section className="section">
        <h2>{t('platform.quotas')}</h2>
        {quotas && (
          <Form
            api={api}
            noun="quotas"
            schema={tenantsSetQuotasInput}
            row={quotas}
            send={(values) => api.run(tenantsSetQuotas, { id: row.id, ...values })}
          />
        )}
      </section>
      <Impersonate api={api} row={row} />
    </>
  )
}

const MEGABYTE = 1_000_000
const ofMost = (used: number, most: number) => `${(used / MEGABYTE).toFixed(1)} / ${most / MEGABYTE} MB`
/** What it used lately, and what that cost. */
function Used({ api, id }: { api: Api; id: number }) {
  const [used, setUsed] = useState<TenantsUsed>()
  useEffect(() => void api.run(tenantsUsed, { id }).then(setUsed, () => {}), [api, id])
  if (!used) return null
  const figures = [
    ['tickets', String(used.tickets)],
    ['messages', String(used.messages)],
    ['cost', (used.cost_micros / 1e6).toFixed(2)],
    ['storage', ofMost(used.media_bytes, used.media_most_bytes)],
    ['voice', ofMost(used.voice_bytes, used.voice_most_bytes)],
  ] as const
  return (
    <section className="section" data-used={used.tickets}>
      <h2>{t('platform.used', { count: used.days })}</h2>
      <div className="tiles">
        {figures.map(([name, figure]) => (
          <Tile key={name} name={t(`platform.used_${name}`)}>
            {figure}
          </Tile>
        ))}
      </div>
    </section>
  )
}

/** Until an organisation has an administrator, nobody in it can let anybody in. */
function First({ api, row }: { api: Api; row: Overview }) {
  const [first, setFirst] = useState<InvitationsFirst>()
  const [said, setSaid] = useState('')
  useEffect(() => void api.run(invitationsFirst, { tenant: row.slug }).then(setFirst, () => {}), [api, row.slug])
  if (!first || first.has_administrator) return null
  function invite(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const email = String(new FormData(event.currentTarget).get('email'))
    api.run(invitationsCreateFirst, { tenant: row.slug, email }).then(
      (invited) => setSaid(t('platform.first_done', { email: invited.email })),
      (error: unknown) => setSaid(problemText(error)),
    )
  }
  return (
    <section className="section" data-first={row.id}>
      <h2>{t('platform.first')}</h2>
      <p className="muted">{t('platform.first_about')}</p>
      <form className="row" onSubmit={invite}>
        <label>
          {t('console.email')}
          <input name="email" type="email" dir="ltr" maxLength={254} required />
        </label>
        <button type="submit" className="button" data-kind="primary">
          {t('platform.first_invite')}
        </button>
      </form>
      <p role="status">{said || first.invited.map((email) => t('platform.first_done', { email })).join(' ')}</p>
    </section>
  )
}

/** Acting as somebody, for support: with a reason, for some minutes, on record. */
function Impersonate({ api, row }: { api: Api; row: Overview }) {
  const [said, setSaid] = useState('')
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const { email, reason, minutes } = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>
    try {
      const { results } = await api.run(peopleList, { q: email! })
      const person = results.find((each) => each.email === email!.toLowerCase() && each.tenants.includes(row.slug))
      if (!person) return setSaid(t('platform.no_person'))
      await api.run(usersImpersonate, { tenant: row.slug, id: person.id, reason: reason!, minutes: Number(minutes) })
      location.assign('/app/')
    } catch (error) {
      setSaid(problemText(error))
    }
  }
  return (
    <section className="section">
      <h2>{t('platform.impersonate')}</h2>
      <p className="muted">{t('platform.impersonate_about')}</p>
      <form className="row" onSubmit={(event) => void submit(event)} data-impersonate={row.id}>
        <label>
          {t('console.email')}
          <input name="email" type="email" dir="ltr" required />
        </label>
        <label>
          {t('admin.field.reason')}
          <input name="reason" dir="auto" minLength={10} maxLength={500} required />
        </label>
        <label>
          {t('platform.minutes')}
          <input name="minutes" type="number" min={1} max={60} defaultValue={15} dir="ltr" required />
        </label>
        <button type="submit" className="button">
          {t('platform.impersonate')}
        </button>
      </form>
      <p role="status" className="problem">
        {said}
      </p>
    </section>
  )
}
