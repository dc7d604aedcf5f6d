import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build as vite, type InlineConfig, type Rolldown } from 'vite'
import { APPS, LOCALES, type App } from './apps.ts'
import { DIST, ROOT } from './paths.ts'
import { buildFonts, type BuiltFonts } from './fonts.ts'
import { smartqueue } from './plugin.ts'
import { brotli, overBudget, type Sizes } from './sizes.ts'
import { sourceHash, type BuiltApp, type Manifest } from './manifest.ts'

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
  const renderers: File[] = []
  for (const [name, app] of Object.entries(APPS)) {
    const started = performance.now()
    const built = await buildApp(name, app, sets[app.fonts])
    files.push(...built.files)
    manifest.apps[name] = built.app
    report.sizes[name] = built.sizes
    report.problems.push(...overBudget(name, built.sizes, app.budget))
    if (app.isRendered) {
      renderers.push({ path: `${name}.js`, bytes: await buildRenderer(name, app, sets[app.fonts]) })
      manifest.renderers[name] = `renderers/${name}.js`
    }
    const { js, css, fonts } = built.sizes
    log(
      `  ${name.padEnd(8)} js ${kb(js)} of ${kb(app.budget.js)}, css ${kb(css)} of ${kb(app.budget.css)}, ` +
        `fonts ${kb(fonts.latin)} (ar ${kb(fonts.arabic)}) of ${kb(app.budget.fonts.latin)} (${kb(app.budget.fonts.arabic)}) kB` +
        ` in ${((performance.now() - started) / 1000).toFixed(1)} s`,
    )
  }
  // What is too large is kept for a look, but counts as not built.
  if (report.problems.length > 0) manifest.hash = ''
  await write(files, renderers, manifest)
  return report
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
    plugins: [smartqueue(app.messages, fonts)],
    oxc: { jsx: { runtime: 'automatic', importSource: app.framework } },
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
  const built: BuiltApp = {
    main: url(main.fileName),
    messages: Object.fromEntries(
      LOCALES.map((locale) => [locale, url(entry(locale).fileName)]),
    ) as BuiltApp['messages'],
    preloads: mainFiles.slice(1).map(url),
    styles: styles.map(url),
    fonts: fonts.files.map((font) => ({ url: `/assets/fonts/${font.name}`, script: font.script })),
  }
  const sizes: Sizes = {
    js: Math.max(...perLocale),
    css: sum(styles),
    fonts: { latin: fontBytes(['latin']), arabic: fontBytes(['latin', 'arabic']) },
  }
  return { app: built, files, sizes }
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

async function write(files: readonly File[], renderers: readonly File[], manifest: Manifest): Promise<void> {
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
  for (const { path, bytes } of renderers) await put(`renderers/${path}`, bytes)
  await put('manifest.json', JSON.stringify(manifest, null, 2))
  await rm(DIST, { recursive: true, force: true })
  await rename(draft, DIST)
}
