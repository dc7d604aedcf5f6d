import { createHash } from 'node:crypto'
import Type, { type Static } from 'typebox'
import { MANAGERS, STAFF } from '../../../kernel/access.ts'
import type { Database } from '../../../kernel/db/types.ts'
import { invalid, notFound } from '../../../kernel/errors.ts'
import { operation, type Context, type Operation } from '../../../kernel/operation.ts'
import { Closed, Locale, Time } from '../../../kernel/schema.ts'
import { checkRoom } from '../../tenants/index.ts'

/** What an organisation may record: the words around, letters, and numbers of tickets and counters. */
const Word = Type.String({ pattern: '^(?:ticket|counter|[A-Z]|0|[1-9]\\d{0,6})$' })
const Clip = Closed({
  language: Locale,
  word: Word,
  type: Type.String(),
  size_bytes: Type.Integer(),
  url: Type.String(),
  updated_at: Time,
})
type Clip = Static<typeof Clip>
type Row = Omit<Clip, 'url'> & { sha256: string }

const COLUMNS = `language, word, type, length(bytes) as size_bytes, encode(sha256, 'hex') as sha256, updated_at`
const shown = (ctx: Context, { sha256, ...clip }: Row): Clip => ({
  language: clip.language,
  word: clip.word,
  type: clip.type,
  size_bytes: clip.size_bytes,
  url: ctx.url(clipPath(ctx.tenant.id, sha256, clip.type)),
  updated_at: clip.updated_at,
})

/** What is taken, by how a file begins: browsers of televisions play these. */
const TYPES = [
  { type: 'audio/wav', extension: 'wav', starts: /^RIFF....WAVE/s },
  { type: 'audio/mpeg', extension: 'mp3', starts: /^(?:ID3|\xff[\xe2-\xff])/ },
  { type: 'audio/ogg', extension: 'ogg', starts: /^OggS/ },
] as const

/** Address of a recorded clip: its content names it, so that it may be kept for ever. */
export const clipPath = (tenantId: number, sha256: string, type: string): string =>
  `/voice/own/${tenantId.toString(36)}-${sha256}.${TYPES.find((one) => one.type === type)?.extension ?? 'wav'}`

/** The recorded clip behind an address that `clipPath` made, or undefined. */
export async function recordedClip(
  db: Database,
  tenantId: number,
  sha256: string,
): Promise<{ type: string; bytes: Buffer } | undefined> {
  return db
    .reader(tenantId)
    .maybe('select type, bytes from voice_clips where sha256 = $1 limit 1', [Buffer.from(sha256, 'hex')])
}

const list = operation({
  id: 'voice-clips.list',
  kind: 'query',
  summary: 'List the recorded clips of the voice',
  description: 'A call is spoken with them where all that it needs is there, else by the program’s own voice.',
  scope: 'read:display',
  roles: STAFF,
  http: { method: 'GET', path: '/voice-clips/' },
  input: Closed({ language: Type.Optional(Locale) }),
  output: Closed({ results: Type.Array(Clip) }),
  example: { input: { language: 'fr' } },
  async run(ctx, { language }) {
    const rows = await ctx.tx.query<Row>(
      `select ${COLUMNS} from voice_clips where $1::text is null or language = $1 order by language, length(word), word`,
      [language ?? null],
    )
    return { results: rows.map((row) => shown(ctx, row)) }
  },
})

const set = operation({
  id: 'voice-clips.set',
  kind: 'mutation',
  summary: 'Upload a recorded clip of the voice',
  description:
    '`ticket` and `counter` are the words before the numbers, `A` to `Z` letters, `0` to `9999999` numbers. WAV, MP3 or Ogg in base64, at most 45 kB: eleven seconds of MP3 at 32 kbit/s. Replaces what is there. Refused with `voice_full` when all that the organisation may keep is there.',
  scope: 'write:display',
  roles: MANAGERS,
  http: { method: 'PUT', path: '/voice-clips/{language}/{word}/' },
  input: Closed({
    language: Locale,
    word: Word,
    audio: Type.String({ minLength: 16, maxLength: 60_000, pattern: '^[A-Za-z0-9+/]+={0,2}$' }),
  }),
  output: Clip,
  example: { input: { language: 'fr', word: '7', audio: 'SUQzBAAAAAAAI1RTU0UAAAAP' } },
  async run(ctx, { language, word, audio }) {
    const bytes = Buffer.from(audio, 'base64')
    const known = TYPES.find(({ starts }) => starts.test(bytes.toString('latin1', 0, 12)))
    if (!known) throw invalid('/audio', 'format')
    const row = await ctx.tx.one<Row>(
      `insert into voice_clips (language, word, type, sha256, bytes) values ($1, $2, $3, $4, $5)
       on conflict (tenant_id, language, word) do update
       set type = excluded.type, sha256 = excluded.sha256, bytes = excluded.bytes, updated_at = now()
       returning ${COLUMNS}`,
      [language, word, known.type, createHash('sha256').update(bytes).digest(), bytes],
    )
    await checkRoom(ctx.tx, 'voice_megabytes', 0)
    const clip = shown(ctx, row)
    ctx.record({ before: null, after: clip })
    ctx.emit({ type: 'voice_clip.updated', site_id: 0, data: { clip: { language, word } } })
    return clip
  },
})

const remove = operation({
  id: 'voice-clips.delete',
  kind: 'mutation',
  summary: 'Remove a recorded clip of the voice',
  scope: 'write:display',
  roles: MANAGERS,
  http: { method: 'DELETE', path: '/voice-clips/{language}/{word}/', status: 204 },
  input: Closed({ language: Locale, word: Word }),
  output: Type.Null(),
  example: { input: { language: 'fr', word: '7' } },
  async run(ctx, { language, word }) {
    const gone = await ctx.tx.maybe('delete from voice_clips where language = $1 and word = $2 returning word', [
      language,
      word,
    ])
    if (!gone) throw notFound()
    ctx.record({ before: { language, word }, after: null })
    ctx.emit({ type: 'voice_clip.deleted', site_id: 0, data: { clip: { language, word } } })
    return null
  },
})

export const clipOperations: readonly Operation[] = [list, set, remove]
