import type { Database } from '../db/types.ts'
import { checkSending } from '../sending.ts'
import type { Mail } from './message.ts'
import { smtp } from './providers/smtp.ts'

let settings: { smtpUrl: string | undefined; from: string } = { smtpUrl: undefined, from: '' }
let sending: ReturnType<typeof smtp> | undefined

/** Gives the process SMTP_URL and EMAIL_FROM. */
export function useMail(given: typeof settings): void {
  settings = given
  sending = undefined
}

/**
 * Sends a message, or keeps it for the outbox page of an installation without SMTP_URL. Called by jobs: a failure is
 * tried again, so somebody may get a message twice, never none.
 */
export async function deliver(db: Database, mail: Mail): Promise<void> {
  checkSending()
  if (settings.smtpUrl === undefined) return keep(db, mail, 'email')
  sending ??= smtp(settings.smtpUrl, settings.from)
  await (
    await sending
  )(mail)
}

/** Keeps a message that nobody sends for the outbox page. */
export async function keep(
  db: Database,
  { to, subject, text, key, attachments = [] }: Mail,
  channel: string,
): Promise<void> {
  // The page shows text: of a file its name and size.
  const files = attachments.map(({ filename, content }) => `\n[${filename}, ${content.length} B]`).join('')
  await db.platform((tx) =>
    tx.query(
      'insert into outbox_messages (recipient, subject, body, channel, key) values ($1, $2, $3, $4, $5) on conflict (key) do nothing',
      [to, subject, text + files, channel, key ?? null],
    ),
  )
}
