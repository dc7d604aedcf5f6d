import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Locale } from '../../../kernel/schema.ts'

const run = promisify(execFile)

/** Voices of espeak-ng, and words a minute: its Arabic has the longest words, and a call should take six seconds at most. */
const VOICES: Record<Locale, readonly [voice: string, wordsPerMinute: number]> = {
  fr: ['fr-fr', 150],
  en: ['en-gb', 150],
  ar: ['ar', 165],
}
const RENDER_SECONDS = 10
/** More at once would take the processor from the counters. */
const AT_ONCE = 2
/** A clip of three seconds has 130 kB: what this holds is some three thousand of them. */
const MOST_CACHE_BYTES = 400_000_000
/** The cache is looked over after so many new clips. */
const TIDY_EVERY = 100

let settings: { directory: string; command: string } = { directory: '', command: 'espeak-ng' }
let present: Promise<boolean> | undefined
let rendered = 0
const inProgress = new Map<string, Promise<Buffer>>()
const waiting: (() => void)[] = []
let running = 0

/** Gives the process the directory that keeps rendered clips. */
export function useVoice(given: { directory: string; command?: string }): void {
  settings = { command: 'espeak-ng', ...given }
  present = undefined
}

/** Can this machine speak? Debian's package espeak-ng brings the program. */
export function canSpeak(): Promise<boolean> {
  present ??= run(settings.command, ['--version'], { timeout: RENDER_SECONDS * 1000 }).then(
    () => true,
    () => false,
  )
  return present
}

/** Name of a text's file: another voice or pace is another clip. */
const nameOf = (text: string, language: Locale) =>
  `${createHash('sha256')
    .update(JSON.stringify([VOICES[language], text]))
    .digest('hex')}.wav`

/**
 * A text as a WAV file (16 bit, mono, 22 kHz), rendered once and then read from the disk.
 * @throws where espeak-ng is not installed or fails
 */
export async function render(text: string, language: Locale): Promise<Buffer> {
  const file = join(settings.directory, nameOf(text, language))
  const known = await readFile(file).catch(() => undefined)
  if (known) return known
  let rendering = inProgress.get(file)
  if (!rendering) {
    rendering = inTurn(() => speak(text, language, file)).finally(() => inProgress.delete(file))
    inProgress.set(file, rendering)
  }
  return rendering
}

async function speak(text: string, language: Locale, file: string): Promise<Buffer> {
  const [voice, wordsPerMinute] = VOICES[language]
  await mkdir(settings.directory, { recursive: true })
  // Written beside and then renamed: nobody ever reads half a clip.
  const draft = `${file}.${randomUUID()}`
  try {
    const speaking = run(
      settings.command,
      ['-v', voice, '-s', String(wordsPerMinute), '-b', '1', '--stdin', '-w', draft],
      { timeout: RENDER_SECONDS * 1000 },
    )
    speaking.child.stdin!.end(text)
    await speaking
    const bytes = await readFile(draft)
    await rename(draft, file)
    if (++rendered % TIDY_EVERY === 0) await tidy(settings.directory, MOST_CACHE_BYTES)
    return bytes
  } finally {
    await rm(draft, { force: true })
  }
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  else running++
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

/** Removes the clips that were rendered first until the rest fits. */
export async function tidy(directory: string, mostBytes: number): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.wav'))
  const files = await Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs } = await stat(join(directory, name))
      return { name, size, mtimeMs }
    }),
  )
  let bytes = files.reduce((sum, { size }) => sum + size, 0)
  for (const { name, size } of files.toSorted((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (bytes <= mostBytes) return
    await rm(join(directory, name), { force: true })
    bytes -= size
  }
}
