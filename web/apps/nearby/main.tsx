import '../../ui/tokens.css'
import '../../ui/base.css'
import '../../ui/public/page.css'
import './nearby.css'
import { hydrate } from 'preact'
import { prepareAnnouncements } from '../../ui/announce.ts'
import { pageData, startPage } from '../../ui/page.ts'
import { NearbyApp } from './app.tsx'
import type { PageProps } from './data.ts'

startPage()
prepareAnnouncements()
hydrate(<NearbyApp {...pageData<PageProps>()} />, document.getElementById('app')!)
