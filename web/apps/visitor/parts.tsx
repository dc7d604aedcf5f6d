import type { ComponentChildren } from 'preact'
import { currentLanguage, t } from '../../ui/messages.ts'
import type { Act, Fields } from './data.ts'

export type Perform = (act: Act, fields: Fields) => void
/** A form that works without scripts; with them, `perform` is asked instead. */
export function ActForm({
  act,
  perform,
  fields = {},
  children,
  className = '',
}: {
  act: Act
  perform: Perform
  fields?: Fields
  children: ComponentChildren
  className?: string
}) {
  return (
    <form
      method="post"
      action={`act/?lang=${currentLanguage()}`}
      class={className}
      onSubmit={(event: SubmitEvent) => {
        event.preventDefault()
        const form = event.currentTarget as HTMLFormElement
        const given: Fields = {}
        new FormData(form).forEach((value, name) => {
          if (name !== 'act' && typeof value === 'string' && value !== '') given[name] = value
        })
        const button = event.submitter as HTMLButtonElement | null
        if (button?.name) given[button.name] = button.value
        perform(act, given)
      }}
    >
      <input type="hidden" name="act" value={act} />
      {Object.keys(fields).map((name) => (
        <input key={name} type="hidden" name={name} value={fields[name]} />
      ))}
      {children}
    </form>
  )
}

/** Takes a number of one queue again: no typing, no choosing. */
export function TakeAgain({
  tenant,
  slug,
  queueId,
  formKey,
}: {
  tenant: string
  slug: string
  queueId: number
  formKey: string
}) {
  return (
    <form method="post" action={`/site/${tenant}/${slug}?lang=${currentLanguage()}`}>
      <input type="hidden" name="key" value={formKey} />
      <input type="hidden" name="queue_id" value={queueId} />
      <button class="button wide" data-kind="primary">
        {t('visitor.take_new')}
      </button>
    </form>
  )
}

export function SiteLink({ tenant, slug }: { tenant: string; slug: string }) {
  return (
    <a class="button wide" href={`/site/${tenant}/${slug}?lang=${currentLanguage()}`}>
      {t('visitor.back_to_site')}
    </a>
  )
}
