import { useEffect, useState } from 'preact/hooks'
import { call, Problem } from '../../data/api.ts'
import {
  messagesMine,
  messagesPrefer,
  messagesPreferences,
  messagesWrite,
  ticketsExplainMine,
  type MessagesMine,
  type MessagesPreferences,
  type TicketsExplainMine,
} from '../../data/operations.ts'
import { clockTime } from '../../ui/format.ts'
import { currentLanguage, t } from '../../ui/messages.ts'
import { Notice } from '../../ui/public/parts.tsx'

const TEXTS = {
  fr: () => import('messages:fr:more'),
  en: () => import('messages:en:more'),
  ar: () => import('messages:ar:more'),
}
/** The texts of what is opened here, in the page's language. */
export const loadTexts = (): Promise<unknown> => TEXTS[currentLanguage()]()

const CHANNELS = ['sms', 'whatsapp', 'email'] as const
const said = (error: unknown) =>
  error instanceof Problem && error.status !== 0 ? error.message : t('visitor.act_offline')

/** What few need and nobody waits for: why I stand here, what the counter and I wrote, and how I may be written to. */
export function More({ token, timezone, at }: { token: string; timezone: string; at: string }) {
  const [refusal, setRefusal] = useState<string>()
  return (
    <>
      <Notice text={refusal} />
      <Why token={token} at={at} />
      <Conversation token={token} timezone={timezone} at={at} onRefused={setRefusal} />
      <Channels token={token} onRefused={setRefusal} />
    </>
  )
}

function Why({ token, at }: { token: string; at: string }) {
  const [why, setWhy] = useState<TicketsExplainMine | null>(null)
  useEffect(() => void call(ticketsExplainMine, { token }).then(setWhy, () => {}), [token, at])
  if (!why) return null
  return (
    <section data-why-here>
      <h2 class="subtitle">{t('more.why')}</h2>
      <p>{why.text}</p>
      <ul class="points">
        {[...why.reasons, ...why.overtaken_by].map(({ code, text }) => (
          <li key={code + text}>{text}</li>
        ))}
      </ul>
    </section>
  )
}

type Refused = (text: string | undefined) => void
interface ConversationProps {
  token: string
  timezone: string
  at: string
  onRefused: Refused
}
function Conversation({ token, timezone, at, onRefused }: ConversationProps) {
  const [list, setList] = useState<MessagesMine['results']>([])
  const [body, setBody] = useState('')
  useEffect(
    () =>
      void call(messagesMine, { token }).then(
        ({ results }) => setList(results),
        () => {},
      ),
    [token, at],
  )
  async function send(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    onRefused(undefined)
    try {
      const mine = await call(messagesWrite, { token, body })
      setList((known) => [...known, mine])
      setBody('')
    } catch (error) {
      // What was written stays in the field.
      onRefused(said(error))
    }
  }
  return (
    <section>
      <h2 class="subtitle">{t('more.write')}</h2>
      {list.length === 0 ? (
        <p class="muted">{t('more.nothing_said')}</p>
      ) : (
        <ol class="said" aria-live="polite">
          {list.map((message) => (
            <li key={message.id} data-from={message.direction}>
              <small>
                {t(message.direction === 'in' ? 'more.from_me' : 'more.from_them')}
                {' · '}
                <bdi>{clockTime(message.created_at, timezone)}</bdi>
              </small>
              <p dir="auto">{message.body}</p>
            </li>
          ))}
        </ol>
      )}
      <form class="write" onSubmit={(event: SubmitEvent) => void send(event)}>
        <label>
          {t('more.message')}
          <textarea
            name="body"
            rows={2}
            maxLength={1000}
            required
            value={body}
            onInput={(event) => setBody(event.currentTarget.value)}
          />
        </label>
        <button class="button wide">{t('more.send')}</button>
      </form>
    </section>
  )
}

function Channels({ token, onRefused }: { token: string; onRefused: Refused }) {
  const [wishes, setWishes] = useState<MessagesPreferences | null>(null)
  const [isSaved, setSaved] = useState(false)
  useEffect(() => void call(messagesPreferences, { token }).then(setWishes, () => {}), [token])
  async function prefer(channel: (typeof CHANNELS)[number], isWanted: boolean): Promise<void> {
    onRefused(undefined)
    setSaved(false)
    const before = wishes
    setWishes({ ...wishes!, [channel]: isWanted })
    try {
      setWishes(await call(messagesPrefer, { token, [channel]: isWanted }))
      setSaved(true)
    } catch (error) {
      setWishes(before)
      onRefused(said(error))
    }
  }
  if (!wishes) return null
  return (
    <fieldset class="needs">
      <legend class="subtitle">{t('more.channels')}</legend>
      {CHANNELS.map((channel) => (
        <label class="check" key={channel}>
          <input
            type="checkbox"
            name={channel}
            checked={wishes[channel]}
            onChange={(event) => void prefer(channel, event.currentTarget.checked)}
          />
          {t(`more.${channel}`)}
        </label>
      ))}
      <p role="status">{isSaved && t('more.saved')}</p>
    </fieldset>
  )
}
