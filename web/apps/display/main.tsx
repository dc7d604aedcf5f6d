import '../../ui/tokens.css'
import '../../ui/base.css'
import { render } from 'preact'
import { t } from '../../ui/messages.ts'
import { startPage } from '../../ui/page.ts'

startPage()
render(<h1>{t('display.now_calling')}</h1>, document.getElementById('app')!)
