import '../../ui/tokens.css'
import '../../ui/base.css'
import { hydrate } from 'preact'
import { startPage } from '../../ui/page.ts'
import { t } from '../../ui/messages.ts'

startPage()
hydrate(<h1>{t('visitor.your_number')}</h1>, document.getElementById('app')!)
