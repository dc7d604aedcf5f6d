import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build as vite, type InlineConfig, type Rolldown } from 'vite'
import { APPS, LOCALES, type App } from './apps.ts'
import { DIST, ROOT } from './paths.ts'
import { buildFonts, type BuiltFonts } from './fonts.ts'
import { CHIME, smartqueue } from './plugin.ts'
import { brotli, overBudget, type Sizes } from './sizes.ts'
import { builtManifest, sourceHash, type BuiltApp, type Manifest } from './manifest.ts'

/** Text worth compressing; fonts and pictures are compressed by themselves. */
const COMPRESSED = /\.(js|css|svg|json)$/

interface File {
  /** Below /assets/. */
  path: string
  bytes: Buffer
}

export interface Report {
  sizes: Record<string, Sizes>
  /** Budgets that were passed, one line each. */
  problems: string[]
}

/** Builds every app into dist/web/, replaced as a whole. */
export async function build(log: (line: string) => void): Promise<Report> {
  const hash = sourceHash()
  const files: File[] = []
  const manifest: Manifest = { hash, apps: {}, renderers: {} }
  const report: Report = { sizes: {}, problems: [] }
  const sets = { public: await buildFonts('public'), staff: await buildFonts('staff') }
  for (const { name, bytes } of Object.values(sets).flatMap((set) => set.files))
    files.push({ path: `fonts/${name}`, bytes })
  files.push(CHIME)
  const before = builtManifest()
  /** What no browser asks for at its own address. */
  const others: File[] = []
  for (const [name, app] of Object.entries(APPS)) {
    const started = performance.now()
    const kept = keptApp(name, before)
    const built = kept ?? (await (app.isEmbedded ? buildEmbedded : buildApp)(name, app, sets[app.fonts]))
    files.push(...built.files)
    manifest.apps[name] = built.app
    report.sizes[name] = built.app.sizes
    report.problems.push(...overBudget(name, built.app.sizes, app.budget), ...pagesOverBudget(name, built.app, app))
    if (app.isRendered) {
      const path = `renderers/${name}.js`
      const bytes = kept ? await readFile(`${DIST}${path}`) : await buildRenderer(name, app, sets[app.fonts])
      others.push({ path, bytes })
      manifest.renderers[name] = path
    }
    if (app.worker) {
      const path = `workers/${name}.js`
      others.push({
        path,
        bytes: kept ? await readFile(`${DIST}${path}`) : await buildWorker(name, app, sets[app.fonts]),
      })
      built.app.worker = path
    }
    const { js, css, fonts } = built.app.sizes
    log(
      `  ${name.padEnd(8)} js ${kb(js)} of ${kb(app.budget.js)}, css ${kb(css)} of ${kb(app.budget.css)}, ` +
        `fonts ${kb(fonts.latin)} (ar ${kb(fonts.arabic)}) of ${kb(app.budget.fonts.latin)} (${kb(app.budget.fonts.arabic)}) kB` +
        pagesLine(built.app) +
        (kept ? ', as before' : ` in ${((performance.now() - started) / 1000).toFixed(1)} s`),
    )
  }
  // What is too large is kept for a look, but counts as not built.
  if (report.problems.length > 0) manifest.hash = ''
  await write(files, others, manifest)
  return report
}
const pagesLine = ({ pages }: BuiltApp) =>
  pages ? `, pages ${pages.map(({ name, js }) => `${name} ${kb(js)}`).join(', ')} kB` : ''
function pagesOverBudget(app: string, { pages = [], sizes }: BuiltApp, { pages: limits, budget }: App): string[] {
  return pages.flatMap(({ name, js, css }) => {
    const limit = limits?.named[name] ?? limits?.budget ?? 0
    return [
      ...(js > limit
        ? [`${app}: the page ${name} is ${js} bytes, ${js - limit} more than its budget of ${limit}`]
        : []),
      ...(sizes.css + css > budget.css
        ? [`${app}: with ${name} CSS is ${sizes.css + css} bytes of ${budget.css}`]
        : []),
    ]
  })
}
const kb = (bytes: number) => (bytes / 1000).toFixed(1)

function config(name: string, app: App, fonts: BuiltFonts): InlineConfig {
  return {
    configFile: false,
    envDir: false,
    logLevel: 'warn',
    mode: 'production',
    // Whatever NODE_ENV the caller runs in: the tests measure and drive what people get.
    define: { 'process.env.NODE_ENV': '"production"' },
    root: `${ROOT}web/apps/${name}`,
    base: `/assets/${name}/`,
    publicDir: false,
    plugins: [smartqueue(app.messages, fonts, app.pages && `/assets/${name}/`)],
    oxc: { jsx: { runtime: 'automatic', importSource: app.framework, development: false } },
    css: { transformer: 'lightningcss' },
    build: {
      write: false,
      target: app.target,
      cssTarget: app.target.filter((target) => !target.startsWith('es')),
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      modulePreload: { polyfill: false },
    },
  }
}

async function buildApp(name: string, app: App, fonts: BuiltFonts) {
  const messages = Object.fromEntries(LOCALES.map((locale) => [locale, `messages:${locale}`]))
  const base = config(name, app, fonts)
  const { output } = (await vite({
    ...base,
    build: {
      ...base.build,
      rolldownOptions: {
        input: { main: `${ROOT}web/apps/${name}/main.tsx`, ...messages },
        external: [/^\/assets\/fonts\//],
        output: {
          entryFileNames: '[name]-[hash].js',
          chunkFileNames: '[name]-[hash].js',
          assetFileNames: '[name]-[hash][extname]',
        },
      },
    },
  })) as Rolldown.RolldownOutput
  const chunks = output.filter((each) => each.type === 'chunk')
  const byFile = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
  const url = (file: string) => `/assets/${name}/${file}`
  /** A chunk and everything it imports at once. */
  const withImports = (file: string): string[] => [
    file,
    ...(byFile.get(file)?.imports.flatMap((each) => withImports(each)) ?? []),
  ]
  const entry = (key: string) => chunks.find((chunk) => chunk.isEntry && chunk.name === key)!
  const main = entry('main')
  const mainFiles = [...new Set(withImports(main.fileName))]
  const styles = [...new Set(mainFiles.flatMap((file) => [...(byFile.get(file)?.viteMetadata?.importedCss ?? [])]))]
  const files = output.map((each): File => ({
    path: `${name}/${each.fileName}`,
    bytes: Buffer.from(each.type === 'chunk' ? each.code : each.source),
  }))
  const sizeOf = (file: string) => brotli(files.find(({ path }) => path === `${name}/${file}`)!.bytes).length
  const sum = (names: Iterable<string>) => [...names].reduce((total, file) => total + sizeOf(file), 0)
  const perLocale = LOCALES.map((locale) => sum(new Set([...mainFiles, ...withImports(entry(locale).fileName)])))
  const fontBytes = (scripts: string[]) =>
    fonts.files.filter(({ script }) => scripts.includes(script)).reduce((total, { bytes }) => total + bytes.length, 0)
  /** What a chunk that is asked for later brings: texts are the same few everywhere. */
  const pages = chunks
    .filter(({ isDynamicEntry, moduleIds }) => isDynamicEntry && !moduleIds.every((id) => id.includes('messages:')))
    .map((chunk) => {
      const own = [...new Set(withImports(chunk.fileName))].filter((file) => !mainFiles.includes(file))
      const css = new Set(own.flatMap((file) => [...(byFile.get(file)?.viteMetadata?.importedCss ?? [])]))
      return { name: pageName(chunk), js: sum(own), css: sum(css) }
    })
  const built: BuiltApp = {
    ...(app.pages && { pages }),
    main: url(main.fileName),
    messages: Object.fromEntries(
      LOCALES.map((locale) => [locale, url(entry(locale).fileName)]),
    ) as BuiltApp['messages'],
    preloads: mainFiles.slice(1).map(url),
    styles: styles.map(url),
    // On a phone's network Latin letters wait for the scripts: what stands in for their face is as wide.
    fonts: fonts.files
      .filter(({ script }) => app.fonts === 'staff' || script === 'arabic')
      .map((font) => ({ url: `/assets/fonts/${font.name}`, script: font.script })),
    hash: sourceHash(name),
    sizes: {
      js: Math.max(...perLocale),
      css: sum(styles),
      fonts: { latin: fontBytes(['latin']), arabic: fontBytes(['latin', 'arabic']) },
    },
  }
  return { app: built, files }
}

/** `floor` of `floor/page.tsx`, `charts` of `analytics/charts.tsx`. */
const pageName = ({ facadeModuleId, name }: Rolldown.OutputChunk) =>
  (facadeModuleId && /([^/]+)\/page\.tsx$/.exec(facadeModuleId)?.[1]) ?? name

/** One script that a page of somebody else's loads: no modules, no further files. */
async function buildEmbedded(name: string, app: App, fonts: BuiltFonts) {
  const base = config(name, app, fonts)
  const { output } = (await vite({
    ...base,
    build: {
      ...base.build,
      rolldownOptions: {
        input: `${ROOT}web/apps/${name}/main.ts`,
        output: { format: 'iife', entryFileNames: '[name]-[hash].js' },
      },
    },
  })) as Rolldown.RolldownOutput
  const [chunk, ...others] = output
  if (others.length > 0) throw new Error(`${name} is more than one file: ${others.map(({ fileName }) => fileName)}`)
  const bytes = Buffer.from(chunk.code)
  const main = `/assets/${name}/${chunk.fileName}`
  const built: BuiltApp = {
    main,
    messages: { fr: main, en: main, ar: main },
    preloads: [],
    styles: [],
    fonts: [],
    hash: sourceHash(name),
    sizes: { js: brotli(bytes).length, css: 0, fonts: { latin: 0, arabic: 0 } },
  }
  return { app: built, files: [{ path: `${name}/${chunk.fileName}`, bytes }] }
}

/** An app that is built from these very sources already. */
function keptApp(name: string, before: Manifest | undefined): { app: BuiltApp; files: File[] } | undefined {
  const app = before?.apps[name]
  if (!app || app.hash !== sourceHash(name)) return undefined
  const folder = `${DIST}assets/${name}/`
  const names = readdirSync(folder).filter((file) => !/\.(br|gz)$/.test(file))
  return { app, files: names.map((file) => ({ path: `${name}/${file}`, bytes: readFileSync(folder + file) })) }
}

/** A service worker: one file without imports, which every browser runs. */
async function buildWorker(name: string, app: App, fonts: BuiltFonts): Promise<Buffer> {
  const base = config(name, app, fonts)
  const { output } = (await vite({
    ...base,
    build: { ...base.build, rolldownOptions: { input: `${ROOT}web/apps/${name}/worker.ts` } },
  })) as Rolldown.RolldownOutput
  return Buffer.from(output[0].code)
}

/** The same components as a module of the server: a page is complete before any script runs. */
async function buildRenderer(name: string, app: App, fonts: BuiltFonts): Promise<Buffer> {
  const base = config(name, app, fonts)
  const { output } = (await vite({
    ...base,
    ssr: { noExternal: true },
    build: {
      ...base.build,
      target: 'node24',
      ssr: true,
      rolldownOptions: { input: `${ROOT}web/apps/${name}/server.tsx` },
    },
  })) as Rolldown.RolldownOutput
  return Buffer.from(output[0].code)
}

async function write(files: readonly File[], others: readonly File[], manifest: Manifest): Promise<void> {
  const draft = `${DIST.slice(0, -1)}.${process.pid}`
  const put = async (path: string, bytes: Buffer | string) => {
    await mkdir(dirname(`${draft}/${path}`), { recursive: true })
    await writeFile(`${draft}/${path}`, bytes)
  }
  for (const { path, bytes } of files) {
    await put(`assets/${path}`, bytes)
    if (!COMPRESSED.test(path)) continue
    await put(`assets/${path}.br`, brotli(bytes))
    await put(`assets/${path}.gz`, gzipSync(bytes, { level: 9 }))
  }
  for (const { path, bytes } of others) await put(path, bytes)
  await put('manifest.json', JSON.stringify(manifest, null, 2))
  await rm(DIST, { recursive: true, force: true })
  await rename(draft, DIST)
}
