import { useCallback, useEffect, useState, type FormEvent } from 'react'
import { switchesList, switchesSet, type SwitchesList } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { Code, Icon } from '../../../ui/parts/react.ts'
import { Moment } from '../admin/kit/cell.tsx'
import type { AreaProps } from '../admin/kit/resource.tsx'
import { problemText } from '../shell/shell.ts'
import { Proof } from '../admin/proof.tsx'

type Switch = SwitchesList['results'][number]

/** Closes a capability for all: the one place where something must be typed to confirm. */
export function Switches({ api }: AreaProps) {
  const [list, setList] = useState<Switch[]>([])
  const [asked, setAsked] = useState<string | null>(null)
  const [said, setSaid] = useState('')
  const load = useCallback(
    () =>
      api.run(switchesList, {}).then(
        ({ results }) => setList(results),
        (error: unknown) => setSaid(problemText(error)),
      ),
    [api],
  )
  useEffect(() => void load(), [load])
  const set = (name: Switch['switch'], is_off: boolean, more: object = {}) =>
    api.run(switchesSet, { switch: name, is_off, ...more }).then(
      () => {
        setAsked(null)
        setSaid(t(is_off ? 'platform.is_closed' : 'platform.is_open'))
        return load()
      },
      (error: unknown) => setSaid(problemText(error)),
    )
  function submit(event: FormEvent<HTMLFormElement>, name: Switch['switch']) {
    event.preventDefault()
    const { typed, reason, tenant } = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>
    if (typed !== name) return setSaid(t('platform.type_name', { name }))
    void set(name, true, { ...(reason && { reason }), ...(tenant && { tenant_slug: tenant }) })
  }
  return (
    <>
      <h1>{t('platform.switches')}</h1>
      <p className="muted about">{t('platform.switches_about')}</p>
      <Proof api={api} />
      <p role="status">{said}</p>
      <ul className="persons">
        {list.map((each) => (
          <li key={each.switch} data-switch={each.switch} data-off={each.is_off}>
            <strong>{t(`platform.switch.${each.switch}`)}</strong>
            <span className={each.is_off ? 'fault' : 'saved'}>
              <Icon name={each.is_off ? 'alert' : 'check'} /> {t(each.is_off ? 'platform.off' : 'platform.on')}
            </span>
            {each.is_off && each.changed_at && <Moment at={each.changed_at} zone={api.timeZone} />}
            <bdi>{each.reason}</bdi>
            {each.tenants.map(({ slug }) => (
              <span key={slug} className="row">
                <Code>{slug}</Code>
                <button
                  type="button"
                  className="button"
                  onClick={() => void set(each.switch, false, { tenant_slug: slug })}
                >
                  {t('platform.open')}
                </button>
              </span>
            ))}
            {each.is_off ? (
              <button
                type="button"
                className="button"
                data-open={each.switch}
                onClick={() => void set(each.switch, false)}
              >
                {t('platform.open')}
              </button>
            ) : (
              <button type="button" className="button" data-close={each.switch} onClick={() => setAsked(each.switch)}>
                {t('platform.close')}
              </button>
            )}
            {asked === each.switch && (
              <form className="row" onSubmit={(event) => submit(event, each.switch)}>
                <label>
                  {t('platform.type_name', { name: each.switch })}
                  <input name="typed" dir="ltr" autoComplete="off" required />
                </label>
                <label>
                  {t('admin.field.reason')}
                  <input name="reason" dir="auto" maxLength={500} />
                </label>
                <label>
                  {t('platform.only_for')}
                  <input name="tenant" dir="ltr" autoComplete="off" />
                </label>
                <button type="submit" className="button" data-kind="primary">
                  {t('platform.close')}
                </button>
              </form>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}
