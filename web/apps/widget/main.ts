import 'messages:ar'
import 'messages:en'
import 'messages:fr'
import { mount } from './mount.ts'

// One classic script tag: it knows itself while it is run.
if (document.currentScript instanceof HTMLScriptElement) mount(document.currentScript)
