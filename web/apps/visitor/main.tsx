import '../../ui/tokens.css'
import '../../ui/base.css'
import './visitor.css'
import { hydrate } from 'preact'
import { prepareAnnouncements } from '../../ui/announce.ts'
import { pageData, startPage } from '../../ui/page.ts'
import { VisitorApp } from './app.tsx'
import type { PageProps } from './data.ts'
import { registerWorker } from './register-worker.ts'

startPage()
prepareAnnouncements()
const props = pageData<PageProps>()
hydrate(<VisitorApp {...props} />, document.getElementById('app')!)
if (props.page === 'ticket') registerWorker()
