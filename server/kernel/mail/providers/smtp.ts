import type { Mail } from '../message.ts'

/** Everything about one message must be over by then; the job tries again. */
const TIMEOUT_MS = 20_000

/** Hands messages to an SMTP server: `smtps://` speaks TLS from the start, `smtp://` as soon as the server offers it. */
export async function smtp(url: string, from: string): Promise<(mail: Mail) => Promise<void>> {
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 2,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // What people typed must never make the program read files or addresses.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const host = /@([^>\s]+)/.exec(from)?.[1] ?? 'localhost'
  return async ({ to, subject, text, key, attachments }) => {
    await transport.sendMail({
      from,
      to: { name: '', address: to },
      subject,
      text,
      ...(attachments && { attachments: [...attachments] }),
      ...(key !== undefined && { messageId: `<${key}@${host}>` }),
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
  }
}
