import '../../ui/tokens.css'
import '../../ui/base.css'
import './kiosk.css'
import { render } from 'preact'
import { startPage } from '../../ui/page.ts'
import { registerWorker } from '../../ui/register-worker.ts'
import { Kiosk } from './kiosk.tsx'
import { lockDown } from './keys.ts'
import { Machine } from './machine.ts'

startPage()
lockDown()
render(<Kiosk machine={new Machine()} />, document.getElementById('app')!)
registerWorker('/kiosk-worker.js', '/kiosk')
