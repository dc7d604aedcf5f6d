import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rangeOf } from '../../../pages/voice.ts'
import { startApp } from '../../../test/app.ts'
import { aTenant, type TenantFixture } from '../../../test/factories.ts'
import { caller } from '../../../test/runtime.ts'
import { operations } from '../../index.ts'
import { tidy, useVoice } from './render.ts'

const directory = mkdtempSync(join(tmpdir(), 'smartqueue-voice-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const { app, runtime, owner } = await startApp()
const hasEspeak = spawnSync('espeak-ng', ['--version']).status === 0
if (!hasEspeak) process.stderr.write('voice.test.ts: espeak-ng is not installed, NO CLIP WAS RENDERED\n')

let bank: TenantFixture
let admin: ReturnType<ReturnType<typeof caller>>
let ticketId: number
interface Voice {
  language: string
  text: string
  clips: string[]
}
beforeAll(async () => {
  bank = await aTenant(owner)
  admin = caller(runtime, operations)(bank.admin, bank.tenant)
  await admin('tickets.take', { queue_id: bank.queues[0]!.id, channel: 'reception' })
  ticketId = await call()
})
beforeEach(() => useVoice({ directory }))
async function call(): Promise<number> {
  const { ticket } = await admin('tickets.callNext', { id: bank.agents[0]!.id })
  return ticket.id as number
}
const wall = async (settings: object = {}, more: object = {}) =>
  (await admin('displays.create', { site_id: bank.sites[0]!.id, name: 'Hall', settings, ...more })).id as number
const voicesOf = async (id: number): Promise<Voice[]> =>
  (await caller(runtime, operations)(bank.display, bank.tenant)('displays.announcement', { id, ticket_id: ticketId }))
    .voices
const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers })

test.each([
  [undefined, undefined],
  ['bytes=0-', [0, 99]],
  ['bytes=10-19', [10, 19]],
  ['bytes=90-500', [90, 99]],
  ['bytes=-5', [95, 99]],
  ['bytes=100-', null],
  ['bytes=-0', null],
  ['bytes=5-4', undefined],
  ['bytes=0-1,5-6', undefined],
  ['lines=0-1', undefined],
])('of a hundred bytes, %s is %j', (header, range) => expect(rangeOf(header, 100)).toEqual(range))

describe.skipIf(!hasEspeak)('rendered clips', () => {
  test('a call is spoken in the display’s languages, once rendered, whole and by range', async () => {
    const voices = await voicesOf(await wall({ languages: ['ar', 'fr', 'en'] }))
    expect(voices.map(({ language, text }) => [language, text])).toEqual([
      ['ar', expect.stringContaining('إِيه')],
      ['fr', 'Ticket A, un, au guichet un.'],
      ['en', 'Ticket A, one, please go to counter one.'],
    ])
    const seconds: number[] = []
    for (const { clips } of voices) {
      expect(clips).toHaveLength(1)
      const answer = await get(clips[0]!)
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'audio/wav'])
      expect(answer.headers['cache-control']).toContain('immutable')
      const wav = answer.rawPayload
      expect([wav.toString('latin1', 0, 4), wav.toString('latin1', 8, 12)]).toEqual(['RIFF', 'WAVE'])
      // The header's own length, which a stream would not know.
      expect(wav.readUInt32LE(4)).toBe(wav.length - 8)
      seconds.push((wav.length - 44) / wav.readUInt32LE(28))
      const part = await get(clips[0]!, { range: 'bytes=44-143' })
      expect([part.statusCode, part.headers['content-range']]).toEqual([206, `bytes 44-143/${wav.length}`])
      expect(part.rawPayload.equals(wav.subarray(44, 144))).toBe(true)
    }
    for (const each of seconds) expect(each).toSatisfy((s: number) => s > 0.8 && s <= 6)
    expect(readdirSync(directory)).toHaveLength(3)
    // Somebody else's process, and a second screen: nothing is rendered again.
    useVoice({ directory, command: 'no-such-program' })
    for (const { clips } of voices) expect((await get(clips[0]!)).statusCode).toBe(200)
  })

  test('many who ask at once for one clip make it once', async () => {
    rmSync(directory, { recursive: true, force: true })
    const [voice] = await voicesOf(await wall({ languages: ['en'] }))
    const answers = await Promise.all(Array.from({ length: 12 }, () => get(voice!.clips[0]!)))
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]))
    expect(readdirSync(directory)).toHaveLength(1)
  })

  test('only what this installation wrote is spoken', async () => {
    const [voice] = await voicesOf(await wall({ languages: ['fr'] }))
    const clip = voice!.clips[0]!
    const forged = [
      clip.replace('text=Ticket', 'text=Billet'),
      clip.replace('/voice/fr/', '/voice/en/'),
      clip.split('?')[0]!,
      clip.replace(/\/[\w-]{43}\./, `/${'A'.repeat(43)}.`),
      '/voice/fr/..%2f..%2fsecret',
      `/voice/own/1-${'0'.repeat(64)}.wav`,
      `/voice/own/zzzzzzzzzzz-${'0'.repeat(64)}.wav`,
    ]
    for (const url of forged) expect((await get(url)).statusCode).toBe(404)
    expect((await get(clip)).statusCode).toBe(200)
  })
})

test('without espeak-ng nothing is spoken, and nothing fails', async () => {
  useVoice({ directory, command: 'no-such-program' })
  expect(await voicesOf(await wall())).toEqual([])
})

test('a display without a voice, of other lines or of another organisation speaks no call', async () => {
  expect(await voicesOf(await wall({ voice: false }))).toEqual([])
  const other = await aTenant(owner)
  const theirs = caller(runtime, operations)(other.admin, other.tenant)
  const display = await theirs('displays.create', { site_id: other.sites[0]!.id, name: 'Hall' })
  await expect(theirs('displays.announcement', { id: display.id, ticket_id: ticketId })).rejects.toMatchObject({
    code: 'not_found',
  })
})

describe('recorded clips', () => {
  /** A second of silence that no other has. */
  const recording = (nth: number) => {
    const wav = Buffer.alloc(44 + 800, nth)
    wav.write('RIFF', 0)
    wav.writeUInt32LE(wav.length - 8, 4)
    wav.write('WAVEfmt ', 8)
    return wav.toString('base64')
  }

  test('are preferred where all that a call needs is there, and go when they are removed', async () => {
    const id = await wall({ languages: ['fr', 'en'] })
    const set = (word: string, nth: number) =>
      admin('voice-clips.set', { language: 'fr', word, audio: recording(nth) }) as Promise<{ url: string }>
    const spoken = async () => (await voicesOf(id)).find(({ language }) => language === 'fr')
    const names = ['ticket', 'A', '1', 'counter']
    for (const [nth, name] of names.entries()) {
      await set(name, nth)
      if (nth < 3) expect((await spoken())?.clips[0] ?? '/voice/fr/').toContain('/voice/fr/')
    }
    const { clips } = (await spoken())!
    // The counter's number is the ticket's: one clip serves both.
    expect(clips).toHaveLength(5)
    expect(clips[2]).toBe(clips[4])
    const answer = await get(clips[1]!)
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'audio/wav'])
    expect(answer.rawPayload.toString('base64')).toBe(recording(1))
    expect((await admin('voice-clips.list', { language: 'fr' })).results).toMatchObject([
      { word: '1' },
      { word: 'A' },
      { word: 'ticket' },
      { word: 'counter' },
    ])
    await admin('voice-clips.delete', { language: 'fr', word: 'A' })
    expect((await spoken())?.clips[0] ?? '/voice/fr/').toContain('/voice/fr/')
    expect((await get(clips[1]!)).statusCode).toBe(404)
    await expect(admin('voice-clips.delete', { language: 'fr', word: 'A' })).rejects.toMatchObject({
      code: 'not_found',
    })
  })

  test('are no more than the organisation may keep; what people have recorded stays', async () => {
    const quota = (megabytes: number) =>
      runtime.db.platform((tx) =>
        tx.query(`select app.set_quota($1, 'voice_megabytes', $2)`, [bank.tenant.id, megabytes]),
      )
    await owner('delete from voice_clips where tenant_id = $1', [bank.tenant.id])
    await owner(
      `insert into voice_clips (tenant_id, language, word, type, sha256, bytes, updated_at)
       select $1, 'ar', n, 'audio/wav', sha256(n::text::bytea), decode(repeat('00', 50000), 'hex'), now() - n * interval '1 day'
       from generate_series(1, 25) n`,
      [bank.tenant.id],
    )
    const clips = () => owner('select from voice_clips where tenant_id = $1', [bank.tenant.id])
    const bring = (word: string, nth: number) =>
      admin('voice-clips.set', { language: 'fr', word, audio: recording(nth) })
    // Control: where there is room it comes in.
    await bring('A', 1)
    await quota(1)
    await expect(bring('B', 2)).rejects.toMatchObject({ code: 'voice_full', params: { megabytes: 1 } })
    expect(await clips()).toHaveLength(26)
    await quota(2)
    await bring('B', 2)
    expect(await clips()).toHaveLength(27)
  })

  test('are sound and nothing else', async () => {
    const audio = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64')
    await expect(admin('voice-clips.set', { language: 'fr', word: '3', audio })).rejects.toMatchObject({
      code: 'invalid_input',
    })
    await expect(admin('voice-clips.set', { language: 'fr', word: '../x', audio: recording(1) })).rejects.toMatchObject(
      { code: 'invalid_input' },
    )
    const agent = caller(runtime, operations)(bank.agentActors[0]!, bank.tenant)
    await expect(agent('voice-clips.set', { language: 'fr', word: '3', audio: recording(1) })).rejects.toMatchObject({
      code: 'forbidden',
    })
  })
})

test('the cache forgets what was rendered first', async () => {
  const small = mkdtempSync(join(tmpdir(), 'smartqueue-voice-'))
  for (let i = 0; i < 5; i++) {
    const file = join(small, `${i}.wav`)
    writeFileSync(file, Buffer.alloc(100))
    utimesSync(file, 1000 + i, 1000 + i)
  }
  await tidy(small, 250)
  expect(readdirSync(small)).toEqual(['3.wav', '4.wav'])
  rmSync(small, { recursive: true })
})
