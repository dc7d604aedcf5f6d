import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import S3rver from 's3rver'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import type { TestApp } from '../../test/app.ts'
import { startApp } from '../../test/app.ts'
import type { TenantFixture } from '../../test/factories.ts'
import { whenOver } from '../../test/when-over.ts'
import { jobs } from './index.ts'
import { secondsLeft } from './links.ts'
import type { Media } from './schema.ts'
import { sniff } from './sniff.ts'
import { diskStorage, storage, useStorage } from './storage.ts'
import { s3Storage } from './providers/s3.ts'

const directory = mkdtempSync(join(tmpdir(), 'sq-media-'))
whenOver(() => rmSync(directory, { recursive: true }))
const server: TestApp = await startApp({ DATA_DIR: directory })
const base = await server.listen()
let bank: TenantFixture
beforeAll(async () => {
  bank = await server.aTenant({ slug: 'gallery' })
})
const api = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object, actor = bank.admin) =>
  server.app.inject({
    method,
    url: `/api/v1/tenants/gallery${path}`,
    headers: server.as(actor),
    ...(payload && { payload }),
  })
const pathOf = (url: string) => url.replace(/^https?:\/\/[^/]+/, '')
async function begin(kind: 'image' | 'video' = 'image'): Promise<Media & { upload_url: string }> {
  const answer = await api('POST', '/media/', { kind, name: 'Plan', alt: { fr: 'Un plan' } })
  expect(answer.statusCode).toBe(201)
  return answer.json()
}
const put = (url: string, payload: Buffer, type = 'application/octet-stream') =>
  server.app.inject({ method: 'PUT', url: pathOf(url), payload, headers: { 'content-type': type } })
const upload = async (payload: Buffer, kind: 'image' | 'video' = 'image') =>
  put((await begin(kind)).upload_url, payload)
const fetchFile = (url: string, headers: Record<string, string> = {}) =>
  server.app.inject({ method: 'GET', url: pathOf(url), headers })

const picture = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: '#268' } })
/** A photograph with its place, its owner and its orientation in it. */
const photograph = () =>
  picture(1200, 600)
    .withExif({ IFD0: { Artist: 'Samira Haddad', Copyright: 'secret-owner' }, IFD3: { GPSLatitude: '48/1 51/1 0/1' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer()
const FILM = Buffer.concat([Buffer.from('\0\0\0\x18ftypisom', 'latin1'), randomBytes(200_000)])

test('a photograph comes back upright, in several widths, without what the camera wrote', async () => {
  const original = await photograph()
  expect(original.toString('latin1')).toContain('Samira Haddad')
  const answer = await upload(original)
  expect(answer.statusCode).toBe(201)
  const media = answer.json() as Media
  // It lay on its side: 1200 × 600 is 600 × 1200.
  expect(media).toMatchObject({ status: 'ready', kind: 'image', width: 600, height: 1200, alt: { fr: 'Un plan' } })
  expect(media.variants.map(({ name, width }) => [name, width])).toEqual([
    ['w320', 320],
    ['w600', 600],
  ])
  for (const { url, type, size_bytes } of media.variants) {
    const file = await fetchFile(url)
    expect([file.statusCode, file.headers['content-type'], file.rawPayload.length]).toEqual([200, type, size_bytes])
    expect(file.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'accept-ranges': 'bytes',
    })
    const meta = await sharp(file.rawPayload).metadata()
    expect([meta.format, meta.exif, meta.orientation]).toEqual(['webp', undefined, undefined])
    expect(file.rawPayload.toString('latin1')).not.toContain('Samira')
  }
  expect((await api('GET', `/media/${media.id}/`)).json()).toMatchObject({ id: media.id, status: 'ready' })
})

const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
test.each([
  ['SVG', async () => SVG],
  ['SVG behind the beginning of a PNG', async () => Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), SVG])],
  ['HTML', async () => Buffer.from('<!doctype html><script>alert(1)</script>')],
  ['a film for a picture', async () => FILM],
  ['half a picture', async () => (await picture(800, 800).png().toBuffer()).subarray(0, 400)],
  ['nothing', async () => Buffer.alloc(0)],
])('%s is refused, and nothing of it is kept', async (_, make) => {
  const { id, upload_url } = await begin()
  const answer = await put(upload_url, await make(), 'image/png')
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_input'])
  expect((await api('GET', `/media/${id}/`)).json()).toMatchObject({ status: 'awaited', variants: [] })
})

test('a picture that is a page, a script or an archive as well is served as a picture alone', async () => {
  const original = await picture(640, 64).png().toBuffer()
  const payloads = [
    '<script>alert(1)</script>',
    '/*GIF*/=1;alert(1)//',
    'PK\x03\x04../../etc/passwd',
    '<?php system(1) ?>',
  ]
  for (const payload of payloads) {
    const answer = await put((await begin()).upload_url, Buffer.concat([original, Buffer.from(payload)]), 'text/html')
    expect([payload, answer.statusCode]).toEqual([payload, 201])
    for (const { url } of (answer.json() as Media).variants) {
      const file = await fetchFile(url)
      expect(file.headers['content-type']).toBe('image/webp')
      expect(file.rawPayload.includes(payload)).toBe(false)
    }
  }
})

test('a name is words for people, and no path', async () => {
  for (const name of [
    '../../../../etc/passwd',
    '..\\..\\boot.ini',
    '/etc/shadow',
    'a.svg\u202Egnp.exe',
    'x.php%00.png',
  ]) {
    const made = (await api('POST', '/media/', { kind: 'image', name })).json() as Media & { upload_url: string }
    expect((await put(made.upload_url, await picture(64, 64).png().toBuffer())).statusCode).toBe(201)
    const { variants } = (await api('GET', `/media/${made.id}/`)).json() as Media
    for (const { url } of variants)
      expect(pathOf(url)).toMatch(/^\/media\/[a-z0-9]+\/\d+\/\w+\?expires=\d+&signature=[\w-]+$/)
  }
  const stored = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  for (const path of stored) expect(path).toMatch(/^media(\/\d+(\/\w+)?)?$|^contract|^to-store$/)
  for (const path of ['/media/../../etc/passwd', '/media/1/..%2f..%2fetc%2fpasswd/w320', '/media/1/1/..%2fw320'])
    expect([path, (await fetchFile(path)).statusCode]).toEqual([path, 404])
})

test('a small file that unfolds to very many pixels is refused before it does, and so is a large one', async () => {
  const bomb = await picture(6000, 4001).png({ compressionLevel: 9 }).toBuffer()
  expect(bomb.length).toBeLessThan(200_000)
  expect((await upload(bomb)).statusCode).toBe(413)
  expect((await upload(Buffer.concat([await photograph(), Buffer.alloc(15_000_000)]))).statusCode).toBe(413)
  // Who does not say how much is coming is stopped, and told, on the way.
  const url = `${base}${pathOf((await begin()).upload_url)}`
  const endless = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(1_000_000)) }, { highWaterMark: 1 })
  const stopped = await fetch(url, { method: 'PUT', body: endless, duplex: 'half' } as RequestInit).then(
    ({ status }) => status,
    () => 'cut',
  )
  expect([413, 'cut']).toContain(stopped)
  // The control: one pixel row less is taken.
  expect((await upload(await picture(6000, 4000).png({ compressionLevel: 9 }).toBuffer())).statusCode).toBe(201)
}, 120_000)

test('an address takes one file, once, within its hour, and a stranger’s address none', async () => {
  const { upload_url } = await begin()
  const file = await picture(64, 64).png().toBuffer()
  expect((await put(upload_url, file)).statusCode).toBe(201)
  expect((await put(upload_url, file)).statusCode).toBe(404)
  const late = await begin()
  await server.owner(`update media set upload_expires_at = now() - interval '1 second' where id = $1`, [late.id])
  expect((await put(late.upload_url, file)).statusCode).toBe(404)
  expect((await put(`${upload_url.slice(0, -2)}zz`, file)).statusCode).toBe(404)
  const job = jobs.find(({ name }) => name === 'media.forget_awaited')!
  await job.run({ runtime: server.runtime, tenants: async () => [bank.tenant] }, { tenant_id: bank.tenant.id })
  expect((await api('GET', `/media/${late.id}/`)).statusCode).toBe(404)
  // Displays look, and change nothing.
  expect((await api('POST', '/media/', { kind: 'image', name: 'x' }, bank.display)).statusCode).toBe(403)
})

test('a film is sent in the ranges that a player asks for', async () => {
  const { variants } = (await upload(FILM, 'video')).json() as Media
  const [{ url }] = variants as [Media['variants'][number]]
  const whole = await fetchFile(url)
  expect([whole.headers['content-type'], whole.rawPayload.equals(FILM)]).toEqual(['video/mp4', true])
  for (const [range, first, last] of [
    ['bytes=0-99', 0, 99],
    ['bytes=1000-', 1000, FILM.length - 1],
    ['bytes=-500', FILM.length - 500, FILM.length - 1],
  ] as const) {
    const part = await fetchFile(url, { range })
    expect([part.statusCode, part.headers['content-range']]).toEqual([206, `bytes ${first}-${last}/${FILM.length}`])
    expect(part.rawPayload.equals(FILM.subarray(first, last + 1))).toBe(true)
  }
  expect((await fetchFile(url, { range: `bytes=${FILM.length}-` })).statusCode).toBe(416)
})

test('an address is good for its file alone, and not for ever', async () => {
  const media = (await upload(await picture(640, 64).png().toBuffer())).json() as Media
  const [small, large] = media.variants.map(({ url }) => url) as [string, string]
  expect((await fetchFile(small.replace('w320', 'w640'))).statusCode).toBe(404)
  expect((await fetchFile(small.replace(`/${media.id}/`, `/${media.id + 1}/`))).statusCode).toBe(404)
  expect((await fetchFile(small.replace(/signature=./, 'signature=!'))).statusCode).toBe(404)
  expect((await fetchFile(small.replace(/expires=\d+/, 'expires=99999999999'))).statusCode).toBe(404)
  expect((await fetchFile(small.split('?')[0]!)).statusCode).toBe(404)
  expect((await fetchFile(large)).statusCode).toBe(200)
  const { searchParams } = new URL(small, 'http://x')
  const [expires, signature] = [Number(searchParams.get('expires')), searchParams.get('signature')!]
  const file = { tenantId: bank.tenant.id, id: media.id, variant: 'w320' }
  expect(secondsLeft(file, expires, signature)).toBeGreaterThan(86_000)
  expect(secondsLeft(file, expires - 200_000, signature)).toBeUndefined()
})

test('what is deleted is gone from the list and from the storage', async () => {
  const media = (await upload(await picture(64, 64).png().toBuffer())).json() as Media
  const files = () => readdirSync(join(directory, 'media', String(bank.tenant.id))).length
  const before = files()
  expect((await api('DELETE', `/media/${media.id}/`)).statusCode).toBe(204)
  const [job] = await server.owner<{ payload: Record<string, unknown> }>(
    `select payload from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
     where t.identifier = 'media.remove_files' order by j.id desc limit 1`,
  )
  const run = jobs.find(({ name }) => name === 'media.remove_files')!
  for (let i = 0; i < 2; i++)
    await run.run({ runtime: server.runtime, tenants: async () => [bank.tenant] }, job!.payload)
  expect(files()).toBe(before - 1)
  expect((await fetchFile(media.variants[0]!.url)).statusCode).toBe(404)
})

test('what is more than the organisation may keep is refused, in words, and leaves nothing behind', async () => {
  await server.owner('delete from media where tenant_id = $1', [bank.tenant.id])
  const most = (megabytes: number | null) =>
    server.db.platform((tx) => tx.query(`select app.set_quota($1, 'media_megabytes', $2)`, [bank.tenant.id, megabytes]))
  const files = () => readdirSync(join(directory, 'media', String(bank.tenant.id))).length
  await most(1)
  // Four films of 200 kB are there; two were announced while there was room.
  for (let i = 0; i < 4; i++) expect((await upload(FILM, 'video')).statusCode).toBe(201)
  const [first, second] = [await begin('video'), await begin('video')]
  const before = files()
  const small = FILM.subarray(0, 150_000)
  const answers = await Promise.all([put(first.upload_url, small), put(second.upload_url, small)])
  expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([201, 409])
  expect(files()).toBe(before + 1)
  const refusal = answers.find(({ statusCode }) => statusCode === 409)!
  expect(refusal.json()).toMatchObject({ code: 'media_full', title: expect.stringContaining('1 Mo') })
  await most(0)
  expect((await api('POST', '/media/', { kind: 'image', name: 'Plan' })).json()).toMatchObject({ code: 'media_full' })
  // Control: with what every organisation has, there is room.
  await most(null)
  expect((await put((await begin('video')).upload_url, FILM)).statusCode).toBe(201)
})

test('types are told by how a file begins', () => {
  expect(sniff(Buffer.from('\x1a\x45\xdf\xa3', 'latin1'))?.type).toBe('video/webm')
  expect(sniff(Buffer.from('RIFF1234WEBPVP8 '))?.type).toBe('image/webp')
  for (const text of ['<svg', '<?xml version="1.0"?><svg', 'RIFF1234WAVE', '%PDF-1.7', ''])
    expect(sniff(Buffer.from(text))).toBeUndefined()
})

describe('a server that speaks S3', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sq-s3-'))
  const s3rver = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: folder,
    configureBuckets: [{ name: 'queue', configs: [] }],
  })
  const { port } = await s3rver.run()
  whenOver(async () => {
    await s3rver.close()
    rmSync(folder, { recursive: true })
  })
  const s3 = {
    bucket: 'queue',
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
  }
  const file = join(directory, 'to-store')

  test.each([
    ['disk', () => diskStorage(join(directory, 'contract'))],
    ['S3', () => s3Storage(s3)],
  ])('%s keeps a file, gives it whole and by range, and forgets it', async (_, make) => {
    const store = make()
    const bytes = randomBytes(300_000)
    writeFileSync(file, bytes)
    await store.put('7/a-key', file, 'video/mp4')
    expect((await buffer(await store.read('7/a-key'))).equals(bytes)).toBe(true)
    expect((await buffer(await store.read('7/a-key', [10, 19]))).equals(bytes.subarray(10, 20))).toBe(true)
    expect((await buffer(await store.read('7/a-key', [299_990, 299_999]))).equals(bytes.subarray(299_990))).toBe(true)
    await store.remove('7/a-key')
    await store.remove('7/a-key')
    await expect(store.read('7/a-key').then(buffer)).rejects.toThrow()
  })

  test('uploads go to the bucket and are served from there', async () => {
    await useStorage({ s3, dataDir: directory })
    try {
      const answer = await upload(FILM, 'video')
      expect(answer.statusCode).toBe(201)
      const [{ url }] = (answer.json() as Media).variants as [Media['variants'][number]]
      expect((await fetchFile(url)).rawPayload.equals(FILM)).toBe(true)
      const part = await fetchFile(url, { range: 'bytes=100-199' })
      expect([part.statusCode, part.rawPayload.equals(FILM.subarray(100, 200))]).toEqual([206, true])
      expect(readdirSync(folder, { recursive: true }).length).toBeGreaterThan(1)
    } finally {
      await useStorage({ s3: undefined, dataDir: directory })
    }
    expect(storage()).toBeDefined()
  })

  test('a key that the server does not know is refused as it is', async () => {
    writeFileSync(file, 'x')
    await expect(s3Storage({ ...s3, accessKeyId: 'NOBODY' }).put('7/b', file, 'video/mp4')).rejects.toThrow()
    expect(readFileSync(file, 'utf8')).toBe('x')
  })
})
