import '../../ui/tokens.css'
import '../../ui/base.css'
import '../../ui/public/page.css'
import './booking.css'
import { hydrate } from 'preact'
import { prepareAnnouncements } from '../../ui/announce.ts'
import { pageData, startPage } from '../../ui/page.ts'
import { offerLanguages } from '../../ui/public/offered.ts'
import { BookingApp } from './app.tsx'
import type { PageProps } from './data.ts'

startPage()
prepareAnnouncements()
const props = pageData<PageProps>()
offerLanguages(props)
hydrate(<BookingApp {...props} />, document.getElementById('app')!)
if (props.page === 'book' && props.challenge) {
  const { challenge } = props
  // Nobody waits for this: it stays out of the first load.
  void import('../../ui/public/work.ts').then((chunk) =>
    chunk.sendAgain(challenge, document.querySelector<HTMLFormElement>(props.waits ? '.wait form' : 'form.book')!),
  )
}
