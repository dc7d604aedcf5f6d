import '../../ui/tokens.css'
import '../../ui/base.css'
import './display.css'
import { render } from 'preact'
import { startPage, pageData } from '../../ui/page.ts'
import { Wall } from './wall.tsx'
import type { PageData } from './session.ts'

startPage()
const root = document.getElementById('app')!
void new Wall(pageData<PageData>(), (tree) => render(tree, root)).run()
