import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto'

/**
 * X-Twilio-Signature: base64 HMAC-SHA1 with the account's token over the address as Twilio was given it, followed by
 * each field of the form and its value, in the order of the names.
 */
export function twilioSignature(token: string, url: string, form: Readonly<Record<string, string>>): string {
  const text = Object.keys(form)
    .toSorted()
    .reduce((sum, name) => sum + name + form[name]!, url)
  return createHmac('sha1', token).update(text, 'utf8').digest('base64')
}

export function isFromTwilio(
  token: string | undefined,
  url: string,
  form: Readonly<Record<string, string>>,
  given: string | undefined,
): boolean {
  if (token === undefined || given === undefined) return false
  const expected = Buffer.from(twilioSignature(token, url, form))
  const bytes = Buffer.from(given)
  return expected.length === bytes.length && timingSafeEqual(expected, bytes)
}

/** An event that was signed longer ago is not taken any more. */
const MOST_SECONDS_OLD = 600

/** SendGrid's signed event webhook: ECDSA P-256 with SHA-256 over the timestamp and the body as it came. */
export function isFromSendgrid(
  key: string | undefined,
  body: Buffer,
  given: { signature: string | undefined; timestamp: string | undefined },
  nowSeconds: number,
): boolean {
  const { signature, timestamp } = given
  if (key === undefined || signature === undefined || timestamp === undefined || !/^\d{1,12}$/.test(timestamp))
    return false
  if (Math.abs(nowSeconds - Number(timestamp)) > MOST_SECONDS_OLD) return false
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' })
    return verify('sha256', Buffer.concat([Buffer.from(timestamp), body]), publicKey, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}
