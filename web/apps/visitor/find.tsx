import { currentLanguage, t } from '../../ui/messages.ts'
import { Header, Notice } from '../../ui/public/parts.tsx'
import type { FindProps } from './data.ts'

/** From paper to the page: the number and two letters. */
export function FindPage({ tenant, slug, name, failed, refusal }: Omit<FindProps, 'page'>) {
  return (
    <main class="page">
      <Header place={name} />
      <h1 class="title">{t('visitor.find')}</h1>
      <p class="muted">{t('visitor.find_hint')}</p>
      <Notice text={refusal ?? (failed ? t('visitor.find_failed') : undefined)} kind="danger" />
      <form method="post" action={`?lang=${currentLanguage()}`} class="find">
        <label>
          {t('visitor.number')}
          <input name="number" required maxLength={10} autocomplete="off" autocapitalize="characters" dir="ltr" />
        </label>
        <label>
          {t('visitor.check')}
          <input name="check" required maxLength={4} autocomplete="off" autocapitalize="characters" dir="ltr" />
        </label>
        <button class="button wide" data-kind="primary">
          {t('visitor.search')}
        </button>
      </form>
      <p class="find-link">
        <a href={`/site/${tenant}/${slug}?lang=${currentLanguage()}`}>{t('visitor.back_to_site')}</a>
      </p>
    </main>
  )
}
