import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import { loopback, type Loopback } from './loopback.ts'

export interface PushLoopback extends Loopback {
  /** What browsers read of what they were sent. */
  notices: { title: string; body: string; lang: string }[]
  /** What `PushManager.subscribe()` of a browser gives. */
  subscription: { endpoint: string; p256dh: string; auth: string }
}

/** A browser that follows a ticket: its keys, and how it reads what it is sent (RFC 8291). */
export function pushBrowser() {
  const browser = createECDH('prime256v1')
  browser.generateKeys()
  const auth = randomBytes(16)
  return {
    keys: { p256dh: browser.getPublicKey('base64url'), auth: auth.toString('base64url') },
    decrypt(body: Buffer): PushLoopback['notices'][number] {
      const [salt, sender, cipher] = [body.subarray(0, 16), body.subarray(21, 86), body.subarray(86)]
      const derive = (ikm: Buffer, seed: Buffer, info: Buffer, length: number) =>
        Buffer.from(hkdfSync('sha256', ikm, seed, info, length))
      const info = Buffer.concat([Buffer.from('WebPush: info\0'), browser.getPublicKey(), sender])
      const ikm = derive(browser.computeSecret(sender), auth, info, 32)
      const key = derive(ikm, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
      const nonce = derive(ikm, salt, Buffer.from('Content-Encoding: nonce\0'), 12)
      const decipher = createDecipheriv('aes-128-gcm', key, nonce)
      decipher.setAuthTag(cipher.subarray(-16))
      const text = Buffer.concat([decipher.update(cipher.subarray(0, -16)), decipher.final()]).toString()
      return JSON.parse(text.slice(0, text.lastIndexOf('\u0002'))) as PushLoopback['notices'][number]
    },
  }
}

/** A push service, and the browser behind it. */
export async function pushLoopback(): Promise<PushLoopback> {
  const { keys, decrypt } = pushBrowser()
  const notices: PushLoopback['notices'] = []
  const base = await loopback({
    isBinary: true,
    accept(_, body) {
      notices.push(decrypt(Buffer.from(body, 'latin1')))
      return { status: 201, body: '' }
    },
  })
  return Object.assign(base, { notices, subscription: { endpoint: `${base.url}/send/1`, ...keys } })
}
