import Type, { type Static } from 'typebox'
import { STAFF } from '../../../kernel/access.ts'
import type { Database, Tx } from '../../../kernel/db/types.ts'
import { notFound } from '../../../kernel/errors.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Id, Locale } from '../../../kernel/schema.ts'
import { isMac, mac } from '../../authentication/index.ts'
import type { DisplaySettings } from '../schema.ts'
import { clipPath, recordedClip } from './clips.ts'
import { canSpeak, render } from './render.ts'
import { counterNumber, partsOf, sentenceOf, type Spoken } from './sentence.ts'

const LANGUAGES: readonly Locale[] = ['fr', 'ar', 'en']
const Announcement = Closed({
  /** In the order they are spoken; a language that nobody can speak is left out. */
  voices: Type.Array(
    Closed({
      language: Locale,
      text: Type.String(),
      /** Addresses of the clips, one after the other. */
      clips: Type.Array(Type.String(), { minItems: 1 }),
    }),
  ),
})

const PURPOSE = 'voice-clip'
const signed = (text: string, language: Locale) => `${language}:${text}`

/** Address of a text's clip. It carries the text, so that any node can render it, and only this installation can make one. */
export const textPath = (text: string, language: Locale) =>
  `/voice/${language}/${mac(PURPOSE, signed(text, language))}.wav?text=${encodeURIComponent(text)}`

/** The call of a ticket as a display speaks it. */
export const announcement = operation({
  id: 'displays.announcement',
  kind: 'query',
  summary: 'How a display speaks the call of a ticket',
  description:
    'Addresses of clips by language: the organisation’s recorded ones where all that is needed is there, else rendered once by espeak-ng. Empty where the display has no voice.',
  scope: 'read:display',
  roles: [...STAFF, 'display'],
  http: { method: 'GET', path: '/displays/{id}/announcement/' },
  input: Closed({ id: Id, ticket_id: Id }),
  output: Announcement,
  example: { input: { id: 1, ticket_id: 1 } },
  async run({ tx }, { id, ticket_id }): Promise<Static<typeof Announcement>> {
    const call = await tx.maybe<Spoken & { settings: Static<typeof DisplaySettings> }>(
      `select t.number, c.name as counter_name, d.settings
       from displays d join tickets t on t.tenant_id = d.tenant_id and t.site_id = d.site_id and t.id = $2
       left join counters c on c.tenant_id = t.tenant_id and c.id = t.counter_id
       where d.id = $1 and d.is_active and (cardinality(d.queue_ids) = 0 or t.queue_id = any(d.queue_ids))`,
      [id, ticket_id],
    )
    if (!call) throw notFound()
    const { languages = LANGUAGES, voice = true } = call.settings
    if (!voice) return { voices: [] }
    const recorded = await recordedFor(tx, call, languages)
    const isAble = await canSpeak()
    return {
      voices: languages.flatMap((language) => {
        const text = sentenceOf(call, language)
        const clips = recorded.get(language) ?? (isAble ? [textPath(text, language)] : [])
        return clips.length > 0 ? [{ language, text, clips }] : []
      }),
    }
  },
})

/** Addresses of the recorded clips of a call, of each language that has all of them. */
async function recordedFor(tx: Tx, { number, counter_name }: Spoken, languages: readonly Locale[]) {
  const { prefix, value } = partsOf(number)
  const counter = counterNumber(counter_name)
  const isNamed = counter_name !== null && counter === null
  if (isNamed) return new Map<Locale, string[]>()
  const words = ['ticket', ...prefix, String(value), ...(counter === null ? [] : ['counter', String(counter)])]
  const rows = await tx.query<{ tenant_id: number; language: Locale; word: string; type: string; sha256: string }>(
    `select tenant_id, language, word, type, encode(sha256, 'hex') as sha256 from voice_clips
     where language = any($1) and word = any($2)`,
    [languages, words],
  )
  return new Map(
    languages.flatMap((language) => {
      const own = words.map((word) => rows.find((row) => row.language === language && row.word === word))
      if (own.some((row) => row === undefined)) return []
      return [[language, own.map((row) => clipPath(row!.tenant_id, row!.sha256, row!.type))] as const]
    }),
  )
}

interface VoiceFile {
  type: string
  bytes: Buffer
}
/**
 * The clip at an address below `/voice/`: `folder` is a language or `own`. Undefined for an address that nobody was
 * given, or where a rendered one cannot be rendered.
 */
export async function voiceFile(
  db: Database,
  folder: string,
  file: string,
  text: string | undefined,
): Promise<VoiceFile | undefined> {
  if (folder === 'own') {
    const [, tenant, sha256] = /^([1-9a-z][0-9a-z]{0,10})-([0-9a-f]{64})\.\w{3}$/.exec(file) ?? []
    const tenantId = parseInt(tenant ?? '', 36)
    return Number.isSafeInteger(tenantId) ? recordedClip(db, tenantId, sha256!) : undefined
  }
  const language = (['fr', 'en', 'ar'] as const).find((one) => one === folder)
  const hash = /^([\w-]{43})\.wav$/.exec(file)?.[1]
  if (!language || !hash || text === undefined || !isMac(PURPOSE, signed(text, language), hash)) return undefined
  const bytes = await render(text, language).catch(() => undefined)
  return bytes && { type: 'audio/wav', bytes }
}
