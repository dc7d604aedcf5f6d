import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Plugin } from 'vite'
import { ROOT } from './paths.ts'
import { chime } from './chime.ts'
import type { BuiltFonts } from './fonts.ts'
import { compileMessage } from './messages.ts'

const bytes = chime()
/** Below /assets/. */
export const CHIME = {
  path: `sounds/chime-${createHash('sha256').update(bytes).digest('base64url').slice(0, 8)}.wav`,
  bytes,
}
const LOCALES = `${ROOT}shared/locales/`
type Catalogue = Record<string, string>
const read = (file: string) => JSON.parse(readFileSync(LOCALES + file, 'utf8')) as Catalogue

/** Every message of an app in one language, compiled. */
export function messagesOf(names: readonly string[], locale: string): Record<string, unknown> {
  const common = Object.entries(read(`${locale}.json`)).filter(([key]) => names.includes(key.split('.')[0]!))
  const own = names.flatMap((name) => {
    try {
      return Object.entries(read(`screens/${name}.${locale}.json`))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  })
  return Object.fromEntries([...common, ...own].map(([key, message]) => [key, compileMessage(message)]))
}

/** Later chunks with styles of their own are shown when these have come. */
const stylesBefore = (base: string) => `
const asked = new Map()
const ask = (file) => new Promise((resolve, reject) => {
  const link = document.createElement('link')
  link.rel = 'stylesheet'
  link.href = ${JSON.stringify(base)} + file
  link.onload = resolve
  link.onerror = () => { asked.delete(file); link.remove(); reject(new Error(file)) }
  document.head.append(link)
})
export const __vitePreload = async (load, files = []) => {
  const styles = files.filter((file) => file.endsWith('.css'))
  const [module] = await Promise.all([load(), ...styles.map((file) => {
    if (!asked.has(file)) asked.set(file, ask(file))
    return asked.get(file)
  })])
  return module
}`

/**
 * What exists only in the build: modules `messages:<locale>` that add an app's compiled texts, and the declarations of
 * its faces at the head of the tokens; `messages:<locale>:<catalogue>` adds texts of what is loaded later; `sound:chime` is the address of the call's chime.
 */
export function smartqueue(names: readonly string[], fonts: BuiltFonts, pagesBase?: string): Plugin {
  return {
    name: 'smartqueue',
    enforce: 'pre',
    resolveId: (id) => (id.startsWith('messages:') || id === 'sound:chime' ? `\0${id}` : null),
    load(id) {
      if (id.endsWith('/web/ui/tokens.css')) return fonts.css + readFileSync(id, 'utf8')
      // What the bundler would run here is larger than some of the chunks that come later.
      if (id === '\0vite/preload-helper.js')
        return pagesBase === undefined ? 'export const __vitePreload = (load) => load()' : stylesBefore(pagesBase)
      if (id === '\0sound:chime') return `export default ${JSON.stringify(`/assets/${CHIME.path}`)}`
      if (!id.startsWith('\0messages:')) return null
      const [locale = '', later] = id.slice('\0messages:'.length).split(':')
      const messages = JSON.stringify(messagesOf(later ? [later] : names, locale))
      return (
        `import { addMessages } from ${JSON.stringify(`${ROOT}web/ui/messages.ts`)}\n` +
        `addMessages(${JSON.stringify(locale)}, JSON.parse(${JSON.stringify(messages)}))\n`
      )
    },
  }
}
