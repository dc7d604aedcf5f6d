import { useCallback, useEffect, useRef, useState, type FormEvent } from 'react'
import { trigger, TRIGGERS, traffic, type Caller, type TrafficCount } from '../../../../sdk/src/sandbox.ts'
import {
  authSwitchTenant,
  sandboxAdvance,
  sandboxCreate,
  sandboxGet,
  sandboxReset,
  type SandboxGet,
} from '../../../data/operations.ts'
import { stopwatch } from '../../../ui/format.ts'
import { t } from '../../../ui/messages.ts'
import { Code, Icon } from '../../../ui/parts/react.ts'
import type { Api } from '../admin/kit/api.ts'
import { Moment } from '../admin/kit/cell.tsx'
import type { AreaProps } from '../admin/kit/resource.tsx'
import { problemText } from '../shell/shell.ts'
import { serverNow, useSecond } from '../state/clock.ts'

const STEPS = [300, 1800, 3600, 86_400] as const
const FASTER = 60
const EVERY_MS = 2000
const SPEEDS = [1, 20, 100] as const

/** What to say of an error: a refusal in words, or why the act was not possible. */
const saidOf = (error: unknown): string =>
  error instanceof Error && !('status' in error) ? error.message : problemText(error)

/** An organisation to try things in: made, and once one is in it, its time, its visitors, and its events. */
export function Sandbox({ api }: AreaProps) {
  const [state, setState] = useState<SandboxGet>()
  const [said, setSaid] = useState('')
  const fail = useCallback((error: unknown) => setSaid(saidOf(error)), [])
  const load = useCallback(() => api.run(sandboxGet, {}).then(setState, fail), [api, fail])
  useEffect(() => void load(), [load])
  return (
    <>
      <h1>{t('developer.sandbox')}</h1>
      <p className="muted about">{t(state?.is_sandbox ? 'developer.sandbox_here' : 'developer.sandbox_about')}</p>
      <p role="status" className={said ? 'problem' : ''}>
        {said}
      </p>
      {state && !state.is_sandbox && <Entrance api={api} state={state} fail={fail} />}
      {state?.is_sandbox && (
        <>
          <Clock api={api} state={state} onChange={setState} fail={fail} />
          <Traffic api={api} fail={fail} />
          <Happenings api={api} fail={fail} />
          <Anew api={api} onDone={() => void load()} fail={fail} />
        </>
      )}
    </>
  )
}
interface Part {
  api: Api
  fail(error: unknown): void
}

/** From an organisation that works to the one where nothing can go wrong. */
function Entrance({ api, state, fail }: Part & { state: SandboxGet }) {
  const enter = async () => {
    try {
      const slug = state.sandbox ?? (await api.run(sandboxCreate, {})).slug
      await api.run(authSwitchTenant, { tenant: slug })
      location.assign('/app/developer/sandbox')
    } catch (error) {
      fail(error)
    }
  }
  return (
    <p>
      <button type="button" className="button" data-kind="primary" data-enter-sandbox="" onClick={() => void enter()}>
        {t(state.sandbox ? 'developer.sandbox_open' : 'developer.sandbox_make')}
      </button>
    </p>
  )
}

/** What time it is in the sandbox, and how it goes on. */
function Clock({ api, state, onChange, fail }: Part & { state: SandboxGet; onChange(state: SandboxGet): void }) {
  const second = useSecond()
  const [isFast, setFast] = useState(false)
  const isBusy = useRef(false)
  const pass = useCallback(
    async (seconds: number) => {
      if (isBusy.current) return
      isBusy.current = true
      await api.run(sandboxAdvance, { seconds }).then(onChange, (error: unknown) => {
        setFast(false)
        fail(error)
      })
      isBusy.current = false
    },
    [api, fail, onChange],
  )
  useEffect(() => {
    if (!isFast) return
    const timer = setInterval(() => void pass(((FASTER - 1) * EVERY_MS) / 1000), EVERY_MS)
    return () => clearInterval(timer)
  }, [isFast, pass])
  const now = new Date((second || Math.floor(serverNow() / 1000)) * 1000 + state.ahead_seconds * 1000).toISOString()
  return (
    <section className="card-wide stack" data-clock={state.ahead_seconds}>
      <h2>{t('developer.clock')}</h2>
      <p className="big">
        <Moment at={now} zone={api.timeZone} />{' '}
        <span className="muted">
          {state.ahead_seconds > 0
            ? t('developer.ahead', { time: stopwatch(state.ahead_seconds) })
            : t('developer.not_ahead')}
        </span>
      </p>
      <p className="muted">{t('developer.clock_about')}</p>
      <p className="row">
        {STEPS.map((seconds) => (
          <button key={seconds} type="button" className="button" data-pass={seconds} onClick={() => void pass(seconds)}>
            {t(`developer.pass_${seconds}`)}
          </button>
        ))}
        <label className="row">
          <input type="checkbox" checked={isFast} onChange={(e) => setFast(e.target.checked)} data-fast="" />
          {t('developer.faster', { count: FASTER })}
        </label>
      </p>
    </section>
  )
}

const callerOf = (api: Api): Caller => ({ call: (operation, input) => api.run(operation as never, input as never) })

/** Visitors who come, and agents who serve them, for as long as the page is open. */
function Traffic({ api, fail }: Part) {
  const [count, setCount] = useState<TrafficCount>()
  const [running, setRunning] = useState<AbortController | null>(null)
  useEffect(() => () => running?.abort(), [running])
  function start(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const { rate, speed } = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>
    const ending = new AbortController()
    setRunning(ending)
    traffic(callerOf(api), {
      rate: Number(rate),
      speed: Number(speed),
      signal: ending.signal,
      onCount: (now) => setCount({ ...now }),
    })
      .catch(fail)
      .finally(() => setRunning(null))
  }
  return (
    <section className="card-wide stack" data-traffic={running ? 'on' : 'off'}>
      <h2>{t('developer.traffic')}</h2>
      <p className="muted">{t('developer.traffic_about')}</p>
      <form className="row ends" onSubmit={start}>
        <label className="field">
          {t('developer.rate')}
          <input name="rate" type="number" min={1} max={600} defaultValue={12} dir="ltr" required />
        </label>
        <label className="field">
          {t('developer.speed')}
          <select name="speed" defaultValue="20">
            {SPEEDS.map((speed) => (
              <option key={speed} value={speed}>
                {speed === 1 ? t('developer.as_in_life') : t('developer.faster', { count: speed })}
              </option>
            ))}
          </select>
        </label>
        {/* Two buttons, not one that changes: what stops would become what sends the form while it is still being pressed. */}
        {running ? (
          <button key="stop" type="button" className="button" data-stop="" onClick={() => running.abort()}>
            {t('developer.stop')}
          </button>
        ) : (
          <button key="go" type="submit" className="button" data-kind="primary">
            {t('developer.go')}
          </button>
        )}
      </form>
      {count && (
        <p data-count={count.came}>
          {t('developer.came', { count: count.came })} · {t('developer.served', { count: count.served })} ·{' '}
          {t('developer.gone', { count: count.gone })}
        </p>
      )}
    </section>
  )
}

/** One event, made to happen as people would. */
function Happenings({ api, fail }: Part) {
  const [done, setDone] = useState<{ event: string; number: string }>()
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const wanted = String(new FormData(event.currentTarget).get('event'))
    trigger(callerOf(api), wanted).then(({ number }) => setDone({ event: wanted, number }), fail)
  }
  return (
    <section className="card-wide stack">
      <h2>{t('developer.happen')}</h2>
      <form className="row ends" onSubmit={submit} data-trigger="">
        <label className="field">
          {t('admin.field.event')}
          <select name="event" dir="ltr" defaultValue="ticket.called">
            {TRIGGERS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <button type="submit" className="button" data-kind="primary">
          {t('developer.make_happen')}
        </button>
        <span role="status" data-happened={done?.number}>
          {done && (
            <>
              <Icon name="check" /> <Code>{done.event}</Code> <Code>{done.number}</Code>
            </>
          )}
        </span>
      </form>
    </section>
  )
}

function Anew({ api, onDone, fail }: Part & { onDone(): void }) {
  const [gone, setGone] = useState<number>()
  return (
    <section className="card-wide stack">
      <h2>{t('developer.anew')}</h2>
      <p className="muted">{t('developer.anew_about')}</p>
      <p className="row">
        <button
          type="button"
          className="button"
          data-reset=""
          onClick={() =>
            void api.run(sandboxReset, {}).then(({ tickets }) => {
              setGone(tickets)
              onDone()
            }, fail)
          }
        >
          {t('developer.begin_anew')}
        </button>
        <span role="status">{gone !== undefined && t('developer.forgotten', { count: gone })}</span>
      </p>
    </section>
  )
}
