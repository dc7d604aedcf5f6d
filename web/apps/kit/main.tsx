import '../../ui/tokens.css'
import '../../ui/base.css'
import './kit.css'
import { render } from 'preact'
import { prepareAnnouncements } from '../../ui/announce.ts'
import { startPage } from '../../ui/page.ts'
import { Kit } from './kit.tsx'

startPage()
prepareAnnouncements()
render(<Kit />, document.getElementById('app')!)
