import { t } from '../../ui/messages.ts'
import { Header } from '../../ui/public/parts.tsx'
import type { PageProps } from './data.ts'
import { FindPage } from './find.tsx'
import { SiteLink } from './parts.tsx'
import { SitePage } from './site.tsx'
import { TicketPage } from './ticket.tsx'

export function VisitorApp(props: PageProps) {
  switch (props.page) {
    case 'site':
      return <SitePage {...props} />
    case 'ticket':
      return <TicketPage {...props} />
    case 'find':
      return <FindPage {...props} />
    case 'erased':
      return (
        <main class="page">
          <Header place="" />
          <h1 class="title">{t('visitor.erased')}</h1>
          <SiteLink tenant={props.tenant} slug={props.slug} />
        </main>
      )
  }
}
