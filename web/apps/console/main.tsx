import '../../ui/tokens.css'
import '../../ui/base.css'
import './console.css'
import { createRoot } from 'react-dom/client'
import { prepareAnnouncements } from '../../ui/announce.ts'
import { pageData, startPage } from '../../ui/page.ts'
import { App, type AppData } from './app.tsx'
import { setServerClock } from './state/clock.ts'
import { showTheme } from './state/preferences.ts'

startPage()
showTheme()
prepareAnnouncements()
const data = pageData<AppData>()
setServerClock(data.now)
createRoot(document.getElementById('app')!).render(<App data={data} />)
