import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { hasBrowser } from './site.ts'
import { pass, startWalls } from './wall.ts'

const canSpeak = hasBrowser && spawnSync('espeak-ng', ['--version']).status === 0
if (!canSpeak) process.stderr.write('voice.test.ts: no espeak-ng or no browser, NO CALL WAS SPOKEN\n')

/** Clips are played so much faster than people would hear them. */
const HASTE = 6
interface Heard {
  src: string
  /** Began while the one before was playing. */
  isOver: boolean
}

test.runIf(canSpeak)('a call is spoken after the chime in the display’s languages, and again from memory', async () => {
  const { wall, take, callNext, act } = await startWalls()
  const { page, close, complaints } = await wall({ languages: ['ar', 'fr'], voice: true })
  await page.evaluate((haste) => {
    const play = HTMLMediaElement.prototype.play
    const heard: Heard[] = []
    let before: HTMLMediaElement | undefined
    Object.assign(globalThis, { heard, isQuiet: () => before?.ended })
    const note = (audio: HTMLMediaElement) => {
      heard.push({ src: audio.src, isOver: before !== undefined && !before.ended && !before.paused })
      before = audio
      audio.playbackRate = haste
      return play.call(audio)
    }
    HTMLMediaElement.prototype.play = function (this: HTMLMediaElement) {
      return note(this)
    }
  }, HASTE)
  const heard = () => page.evaluate(() => (globalThis as unknown as { heard: Heard[] }).heard)
  const isQuiet = () => page.evaluate(() => (globalThis as unknown as { isQuiet(): boolean }).isQuiet())
  await take(0)
  const { id } = await callNext(0)
  await expect.poll(async () => (await heard()).length).toBe(3)
  await expect.poll(isQuiet).toBe(true)
  // The stage ends, and since nobody has come it is said once more.
  await pass(page, 5)
  await pass(page, 8)
  await expect.poll(async () => (await heard()).length).toBe(6)
  const kinds = (await heard()).map(({ src }) => /chime|\/voice\/(?:fr|ar|en)\//.exec(src)?.[0])
  const round = ['chime', '/voice/ar/', '/voice/fr/']
  expect(kinds).toEqual([...round, ...round])
  expect((await heard()).filter(({ isOver }) => isOver)).toEqual([])
  const asked = await page.evaluate(() =>
    performance.getEntriesByType('resource').flatMap(({ name }) => (name.includes('/voice/') ? [name] : [])),
  )
  expect(new Set(asked).size).toBe(asked.length)
  for (const verb of ['start', 'complete']) await act(verb, id)
  expect(complaints).toEqual([])
  await close()
})
