import type { Job } from '../../../kernel/jobs/index.ts'
import type { Database } from '../../../kernel/db/types.ts'
import { translate } from '../../../kernel/i18n.ts'
import type { Context } from '../../../kernel/operation.ts'
import { deliver } from '../../../kernel/mail/index.ts'
import type { Locale } from '../../../kernel/schema.ts'
import { issueLink, LINK_SECONDS, passwordStamp } from './links.ts'

type Message = 'reset' | 'invitation' | 'confirm_email' | 'email_changes' | Notice
/** A way to sign in that was added to an account. */
export type Notice = 'passkey_added' | 'app_added'

/** A text of the catalogue as a message. Links are in the fragment, which browsers keep from servers and logs. */
function send(
  db: Database,
  locale: Locale,
  to: string,
  message: Message,
  params: Record<string, string | number>,
): Promise<void> {
  const text = (part: string) => translate(locale, `mail.${message}.${part}`, params)
  return deliver(db, { to, subject: text('subject'), text: text('text') })
}

/** Where links point: the installation's own address, as the request knew it. */
interface Payload {
  base: string
  locale: Locale
}

export const RESET = 'authentication.send_reset'
export const INVITATION = 'authentication.send_invitation'
export const EMAIL = 'authentication.send_email_change'
const NOTICE = 'authentication.send_notice'

const sendReset: Job = {
  name: RESET,
  async run({ runtime: { db } }, payload) {
    const { email, base, locale } = payload as unknown as Payload & { email: string }
    const prepared = await db.platform(async (tx) => {
      const user = await tx.maybe<{ id: number; name: string; locale: Locale | null; password_hash: string | null }>(
        'select id, name, locale, password_hash from users where email = $1 and is_active',
        [email],
      )
      if (!user) return undefined
      const stamp = passwordStamp(user.id, user.password_hash)
      return { user, token: await issueLink(tx, 'reset', { user_id: user.id, stamp }) }
    })
    if (!prepared) return
    const { user, token } = prepared
    await send(db, user.locale ?? locale, email, 'reset', {
      name: user.name,
      link: `${base}/app/reset-password#${token}`,
      minutes: LINK_SECONDS.reset / 60,
    })
  },
}

const sendInvitation: Job = {
  name: INVITATION,
  async run({ runtime: { db } }, payload) {
    const { tenant_id, invitation_id, base } = payload as unknown as Payload & {
      tenant_id: number
      invitation_id: number
    }
    const prepared = await db.tenant(tenant_id, async (tx) => {
      const invitation = await tx.maybe<{
        email: string
        nonce: string
        name: string
        locale: Locale
        inviter: string | null
      }>(
        `select i.email, i.nonce, t.name, coalesce(u.locale, t.locale) as locale, b.name as inviter
         from invitations i join tenants t on t.id = i.tenant_id
           left join users u on u.email = i.email left join users b on b.id = i.invited_by
         where i.id = $1 and i.expires_at > now()`,
        [invitation_id],
      )
      if (!invitation) return undefined
      const token = await issueLink(tx, 'invitation', { tenant_id, invitation_id, nonce: invitation.nonce })
      return { invitation, token }
    })
    if (!prepared) return
    const { invitation, token } = prepared
    await send(db, invitation.locale, invitation.email, 'invitation', {
      tenant: invitation.name,
      inviter: invitation.inviter ?? invitation.name,
      link: `${base}/app/invitation#${token}`,
      days: LINK_SECONDS.invitation / 86_400,
    })
  },
}

const sendEmailChange: Job = {
  name: EMAIL,
  async run({ runtime: { db } }, payload) {
    const { user_id, email, base, locale } = payload as unknown as Payload & { user_id: number; email: string }
    const prepared = await db.platform(async (tx) => {
      const user = await tx.maybe<{ email: string; name: string; locale: Locale | null; is_taken: boolean }>(
        `select email, name, locale, exists (select from users where email = $2) as is_taken
         from users where id = $1 and is_active`,
        [user_id, email],
      )
      // Whose the new address is stays between its owner and us: the answer was the same.
      if (!user || user.is_taken) return undefined
      return { user, token: await issueLink(tx, 'email', { user_id, from: user.email, to: email }) }
    })
    if (!prepared) return
    const { user, token } = prepared
    const language = user.locale ?? locale
    await send(db, language, email, 'confirm_email', {
      name: user.name,
      link: `${base}/app/confirm-email#${token}`,
      hours: LINK_SECONDS.email / 3600,
    })
    await send(db, language, user.email, 'email_changes', { name: user.name, email })
  },
}

/** Whoever did not do it themselves learns that somebody else has. */
const sendNotice: Job = {
  name: NOTICE,
  async run({ runtime: { db } }, payload) {
    const { user_id, notice, device, locale } = payload as unknown as Payload & {
      user_id: number
      notice: Notice
      device: string
    }
    const user = await db.platform((tx) =>
      tx.maybe<{ email: string; name: string; locale: Locale | null }>(
        'select email, name, locale from users where id = $1 and is_active',
        [user_id],
      ),
    )
    if (user) await send(db, user.locale ?? locale, user.email, notice, { name: user.name, device })
  },
}

/** Tells the person by e-mail that their account has another way in. */
export const noticeOf = (
  { actor, locale, enqueue }: Pick<Context, 'actor' | 'locale' | 'enqueue'>,
  notice: Notice,
  device = '',
): Promise<void> => enqueue(NOTICE, { user_id: actor.userId, notice, device, locale })

export const jobs: readonly Job[] = [sendReset, sendInvitation, sendEmailChange, sendNotice]
