import { useState, type FormEvent } from 'react'
import { devicesPair, setupApply, ticketsTake, type SetupApply } from '../../../data/operations.ts'
import { setupApplyInput } from '../../../data/schemas.ts'
import { t } from '../../../ui/messages.ts'
import { Icon, TicketNumber } from '../../../ui/parts/react.ts'
import { linkTo } from '../shell/router.ts'
import { problemText } from '../shell/shell.ts'
import type { Api } from './kit/api.ts'
import { Form } from './kit/form.tsx'
import { forgetOptions } from './kit/options.ts'
import type { AreaProps } from './kit/resource.tsx'
import { PosterButton } from './poster.tsx'

const TEMPLATES = ['bank', 'town_hall', 'clinic', 'shop'] as const
const PLACE = 'smartqueue.setup'

/** Ten minutes from an empty organisation to a first number on a screen. */
export function Setup({ api }: AreaProps) {
  const [made, setMade] = useState<SetupApply | null>(() => {
    const kept = sessionStorage.getItem(PLACE)
    return kept === null ? null : (JSON.parse(kept) as SetupApply)
  })
  const keep = (next: SetupApply | null) => {
    if (next) sessionStorage.setItem(PLACE, JSON.stringify(next))
    else sessionStorage.removeItem(PLACE)
    setMade(next)
    forgetOptions()
  }
  return (
    <>
      <h1>{t('admin.setup')}</h1>
      <p className="muted about">{t('admin.setup.about')}</p>
      {made ? <Steps api={api} made={made} onAgain={() => keep(null)} /> : <Choose api={api} onMade={keep} />}
    </>
  )
}

function Choose({ api, onMade }: { api: Api; onMade(made: SetupApply): void }) {
  const [template, setTemplate] = useState<(typeof TEMPLATES)[number]>('town_hall')
  return (
    <div className="setup" data-setup="choose">
      <fieldset className="field">
        <legend>{t('admin.setup_kind')}</legend>
        <div className="templates">
          {TEMPLATES.map((each) => (
            <label key={each} className="template" data-chosen={template === each}>
              <input
                type="radio"
                name="template"
                value={each}
                checked={template === each}
                onChange={() => setTemplate(each)}
              />
              <strong>{t(`admin.template.${each}`)}</strong>
              <span className="muted">{t(`admin.template.${each}.about`)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <Form
        api={api}
        noun="setup"
        schema={setupApplyInput}
        given={{ template }}
        hidden={['timezone']}
        refuse={({ opens, closes }) =>
          new Map(
            typeof opens === 'string' && typeof closes === 'string' && closes <= opens
              ? [['/closes', t('admin.setup_closes')]]
              : [],
          )
        }
        submitLabel={t('admin.setup_make')}
        send={async (values) => onMade(await api.run(setupApply, values as never))}
      />
    </div>
  )
}

function Steps({ api, made, onAgain }: { api: Api; made: SetupApply; onAgain(): void }) {
  const { site, services, counters, queues } = made
  const [taken, setTaken] = useState('')
  const [problem, setProblem] = useState('')
  const take = () =>
    void api.run(ticketsTake, { queue_id: queues[0]!.id, channel: 'reception' }).then(
      ({ number }) => setTaken(number),
      (error: unknown) => setProblem(problemText(error)),
    )
  return (
    <ol className="steps" data-setup="steps">
      <li data-step="site">
        <h2>
          <Icon name="check" /> {site.name}
        </h2>
        <p className="muted">
          {t('admin.setup_made', { services: services.map(({ name }) => name).join(', '), counters: counters.length })}
        </p>
        <p className="row">
          <a className="button" {...linkTo(`admin/sites/${site.id}`)}>
            {t('admin.setup_change')}
          </a>
          <button type="button" className="button" data-kind="quiet" onClick={onAgain}>
            {t('admin.setup_again')}
          </button>
        </p>
      </li>
      <li data-step="poster">
        <h2>{t('admin.poster_title')}</h2>
        <p className="muted">{t('admin.poster_about')}</p>
        <p className="row">
          <PosterButton api={api} siteId={site.id} isPrimary />
        </p>
      </li>
      {(['display', 'kiosk'] as const).map((kind) => (
        <Pair key={kind} api={api} kind={kind} made={made} />
      ))}
      <li data-step="call">
        <h2>{t('admin.setup_call')}</h2>
        <p className="muted">{t('admin.setup_call_about')}</p>
        <p className="row">
          <button type="button" className="button" data-kind="primary" data-take="" onClick={take}>
            {t('admin.setup_take')}
          </button>
          {taken && (
            <>
              <span role="status" data-taken={taken}>
                <TicketNumber>{taken}</TicketNumber>
              </span>
              {/* The shell asks for desks at its start: this one has come since. */}
              <a className="button" data-kind="primary" data-desk="" href="/app/agent">
                {t('admin.setup_desk')}
              </a>
            </>
          )}
        </p>
        <p className="problem" role="alert">
          {problem}
        </p>
      </li>
    </ol>
  )
}

function Pair({ api, kind, made }: { api: Api; kind: 'display' | 'kiosk'; made: SetupApply }) {
  const [state, setState] = useState<{ text: string; isDone: boolean }>({ text: '', isDone: false })
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const code = String(new FormData(event.currentTarget).get('code')).trim().toUpperCase()
    const which = kind === 'display' ? { display_id: made.display.id } : { kiosk_id: made.kiosk.id }
    api.run(devicesPair, { code, kind, site_id: made.site.id, name: made[kind].name, ...which }).then(
      ({ name }) => setState({ text: t('admin.paired', { name }), isDone: true }),
      (error: unknown) => setState({ text: problemText(error), isDone: false }),
    )
  }
  return (
    <li data-step={kind} data-done={state.isDone}>
      <h2>
        {state.isDone && <Icon name="check" />} {t(`admin.setup_${kind}`)}
      </h2>
      <p className="muted">{t('admin.pair_at', { address: `${location.host}/${kind}` })}</p>
      <form className="row" onSubmit={submit}>
        <input
          name="code"
          className="code-field"
          dir="ltr"
          required
          maxLength={12}
          autoComplete="off"
          aria-label={t('admin.field.code_shown')}
          placeholder={t('admin.field.code_shown')}
        />
        <button type="submit" className="button" data-kind="primary">
          {t('admin.pair')}
        </button>
      </form>
      <p role="status" className={state.isDone ? '' : 'problem'}>
        {state.text}
      </p>
    </li>
  )
}
