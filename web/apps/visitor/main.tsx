import '../../ui/tokens.css'
import '../../ui/base.css'
import '../../ui/public/page.css'
import './visitor.css'
import { hydrate } from 'preact'
import { prepareAnnouncements } from '../../ui/announce.ts'
import { pageData, startPage } from '../../ui/page.ts'
import { offerLanguages } from '../../ui/public/offered.ts'
import { VisitorApp } from './app.tsx'
import type { PageProps } from './data.ts'

startPage()
prepareAnnouncements()
const props = pageData<PageProps>()
offerLanguages(props)
hydrate(<VisitorApp {...props} />, document.getElementById('app')!)
// Nobody waits for these: they stay out of the first load.
if (props.page === 'ticket')
  void import('../../ui/register-worker.ts').then((chunk) => chunk.registerWorker('/t/sw.js', '/t/'))
if (props.page === 'site' && props.work) void import('./work.ts').then((chunk) => chunk.takeAgain(props.work!))
