import '../../ui/tokens.css'
import '../../ui/base.css'
import { createRoot } from 'react-dom/client'
import { t } from '../../ui/messages.ts'
import { startPage } from '../../ui/page.ts'

startPage()
createRoot(document.getElementById('app')!).render(<h1>{t('console.queue')}</h1>)
