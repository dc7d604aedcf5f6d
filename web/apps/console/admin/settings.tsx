import { useCallback, useEffect, useState, type ComponentType } from 'react'
import { brandContrast, LEAST_CONTRAST, readable } from '../../../../shared/contrast.ts'
import {
  languagesList,
  languagesPublish,
  ssoGet,
  ssoSet,
  tenantsGet,
  tenantsUpdate,
  tenantsUsage,
  type LanguagesList,
  type TenantsUsage,
} from '../../../data/operations.ts'
import { ssoSetInput, tenantsUpdateInput } from '../../../data/schemas.ts'
import type { Schema } from '../../../data/schema.ts'
import { Problem } from '../../../data/api.ts'
import { t } from '../../../ui/messages.ts'
import { Icon } from '../../../ui/parts/react.ts'
import { problemText } from '../shell/shell.ts'
import type { AnyOperation, Api } from './kit/api.ts'
import { Form } from './kit/form.tsx'
import { Logo } from './logo.tsx'
import type { Values } from './kit/model.ts'
import type { AreaProps } from './kit/resource.tsx'
import { words } from './kit/words.ts'

interface Settings {
  noun: string
  get: AnyOperation
  update: AnyOperation
  schema: Schema
  /** Of the operation's properties, those that this page is about. */
  only?: readonly string[]
  beside?: ComponentType<{ api: Api; values: Values }>
  refuse?: (values: Values) => Map<string, string>
  Extra?: ComponentType<{ api: Api; reload(): void }>
}

/** One thing of the organisation, such as its name and zone. */
export function settingsPage({ noun, get, update, schema, only, beside, refuse, Extra }: Settings) {
  const properties = schema.properties!
  const hidden = only ? Object.keys(properties).filter((name) => !only.includes(name)) : []
  return function SettingsPage({ api }: AreaProps) {
    const [row, setRow] = useState<Values>()
    const [isNew, setNew] = useState(false)
    /** Of the form: what stands below may change the same thing. */
    const [version, setVersion] = useState(0)
    const [etag, setEtag] = useState('')
    const [problem, setProblem] = useState('')
    const read = useCallback(async () => (await api.run(get, {}, { onEtag: setEtag })) as Values, [api])
    const load = useCallback(
      () =>
        void read().then(setRow, (error: unknown) => {
          if (error instanceof Problem && error.status === 404) setNew(true)
          else setProblem(problemText(error))
        }),
      [read],
    )
    useEffect(load, [load])
    return (
      <>
        <h1>{words(`admin.${noun}`)}</h1>
        <p className="muted about">{words(`admin.${noun}.about`)}</p>
        <p className="problem" role="alert">
          {problem}
        </p>
        {(row || isNew) && (
          <Form
            key={isNew ? 'new' : version}
            api={api}
            noun={noun}
            schema={isNew ? schema : { ...schema, required: [] }}
            {...(row && { row: { id: 'own', ...row } })}
            hidden={hidden}
            {...(beside && { beside })}
            {...(refuse && { refuse })}
            reread={read}
            submitLabel={t('admin.save')}
            send={async (values) => {
              await api.run(update, values, etag ? { ifMatch: etag } : {})
              load()
            }}
          />
        )}
        {Extra && (
          <Extra
            api={api}
            reload={() =>
              void read().then((now) => {
                setRow(now)
                setVersion((last) => last + 1)
              })
            }
          />
        )}
      </>
    )
  }
}
export const tenantSettings = { get: tenantsGet, update: tenantsUpdate, schema: tenantsUpdateInput }

const megabytes = (bytes: number) => Math.round(bytes / 100_000) / 10

export const Organisation = settingsPage({
  noun: 'organisation',
  ...tenantSettings,
  only: ['name', 'locale', 'timezone', 'take_challenge'],
  Extra: Usage,
})
export const SingleSignOn = settingsPage({ noun: 'sso', get: ssoGet, update: ssoSet, schema: ssoSetInput })

/** What is used of what was agreed; nobody is refused a ticket for it. */
function Usage({ api }: { api: Api }) {
  const [usage, setUsage] = useState<TenantsUsage>()
  useEffect(() => void api.run(tenantsUsage, {}).then(setUsage, () => {}), [api])
  if (!usage) return null
  const { tickets_per_day, is_exceeded } = usage
  return (
    <section className="section">
      <h2>{t('admin.usage')}</h2>
      <p>
        {tickets_per_day === null ? t('admin.usage_free') : t('admin.usage_agreed', { count: tickets_per_day })}{' '}
        {is_exceeded && (
          <strong>
            <Icon name="alert" /> {t('admin.usage_over')}
          </strong>
        )}
      </p>
      <p className="muted">{t('admin.usage_soft')}</p>
      <p data-media={usage.media_bytes}>
        {t('admin.usage_media', { used: megabytes(usage.media_bytes), most: megabytes(usage.media_most_bytes) })}
      </p>
      <p>{t('admin.usage_voice', { used: megabytes(usage.voice_bytes), most: megabytes(usage.voice_most_bytes) })}</p>
    </section>
  )
}

const HEX = /^#[0-9A-F]{6}$/
export const Branding = settingsPage({
  noun: 'branding',
  ...tenantSettings,
  only: ['brand_colour'],
  beside: Contrast,
  refuse: ({ brand_colour: colour }) =>
    new Map(
      typeof colour === 'string' && HEX.test(colour) && brandContrast(colour) < LEAST_CONTRAST
        ? [['/brand_colour', t('admin.contrast_low', { nearest: readable(colour) })]]
        : [],
    ),
  Extra: Look,
})

function Look(props: { api: Api; reload(): void }) {
  return (
    <>
      <Logo {...props} />
      <Languages {...props} />
    </>
  )
}

/** How the colour looks and reads where it is used, while it is chosen. */
function Contrast({ values }: { values: Values }) {
  const colour = typeof values['brand_colour'] === 'string' ? values['brand_colour'].toUpperCase() : ''
  if (!HEX.test(colour)) return <p className="muted">{t('admin.brand_own')}</p>
  const ratio = brandContrast(colour)
  const passes = ratio >= LEAST_CONTRAST
  const nearest = readable(colour)
  return (
    <section className="preview" aria-label={t('admin.preview')} data-contrast={ratio.toFixed(2)}>
      <div className="phone">
        <p className="muted">{t('admin.brand_sample')}</p>
        <span className="phone-button" style={{ background: passes ? colour : nearest }}>
          {t('admin.brand_button')}
        </span>
        <span style={{ color: passes ? colour : nearest }}>{t('admin.brand_link')}</span>
      </div>
      <p role="status">
        <Icon name={passes ? 'check' : 'alert'} />{' '}
        {passes
          ? t('admin.contrast_good', { ratio: ratio.toFixed(1) })
          : t('admin.contrast_bad', { ratio: ratio.toFixed(1), nearest })}
      </p>
    </section>
  )
}

/** In which languages visitors are served; one that lacks a text is not offered. */
function Languages({ api }: { api: Api }) {
  const [list, setList] = useState<LanguagesList['results']>([])
  const [problem, setProblem] = useState('')
  const load = useCallback(
    () =>
      void api.run(languagesList, {}).then(
        ({ results }) => setList(results),
        (error: unknown) => setProblem(problemText(error)),
      ),
    [api],
  )
  useEffect(load, [load])
  return (
    <section className="section">
      <h2>{t('admin.languages')}</h2>
      <p className="muted">{t('admin.languages_about')}</p>
      <ul className="languages-list">
        {list.map(({ language, is_published, texts, missing }) => (
          <li key={language} data-language={language} data-published={is_published}>
            <strong lang={language}>{t(`admin.language.${language}`)}</strong>
            <meter min={0} max={Math.max(1, texts)} value={texts - missing.length} aria-label={t('admin.complete')} />
            <span>{t('admin.complete_of', { done: texts - missing.length, all: texts })}</span>
            <button
              type="button"
              className="button"
              disabled={!is_published && missing.length > 0}
              onClick={() =>
                void api
                  .run(languagesPublish, { language, is_published: !is_published })
                  .then(load, (error: unknown) => setProblem(problemText(error)))
              }
            >
              {t(is_published ? 'admin.withdraw' : 'admin.publish')}
            </button>
            {missing.length > 0 && (
              <span className="fault">
                <Icon name="alert" /> {t('admin.missing', { names: missing.map(({ name }) => name).join(', ') })}
              </span>
            )}
          </li>
        ))}
      </ul>
      <p className="problem" role="alert">
        {problem}
      </p>
    </section>
  )
}
