import { useCallback, useEffect, useState, type ChangeEvent } from 'react'
import {
  servicesList,
  voiceClipsDelete,
  voiceClipsList,
  voiceClipsSet,
  type VoiceClipsList,
} from '../../../data/operations.ts'
import type { Language } from '../../../../shared/format.ts'
import { t } from '../../../ui/messages.ts'
import { Code, Icon } from '../../../ui/parts/react.ts'
import { problemText } from '../shell/shell.ts'
import { base64 } from './files.ts'
import type { AreaProps } from './kit/resource.tsx'

type Clip = VoiceClipsList['results'][number]
/** A file is the word that it is named after: `A.mp3`, `12.mp3`, `ticket.wav`. */
const FILE = /^(ticket|counter|[A-Z]|0|[1-9]\d{0,6})\.(?:wav|mp3|ogg)$/i
const wordOf = (name: string): string | undefined => {
  const word = FILE.exec(name)?.[1]
  return word && word.length === 1 ? word.toUpperCase() : word?.toLowerCase()
}

/** Recorded words that walls call with: brought as files, listened to, taken away. */
export function Voice({ api }: AreaProps) {
  const [language, setLanguage] = useState<Language>('ar')
  const [clips, setClips] = useState<readonly Clip[]>()
  const [letters, setLetters] = useState<readonly string[]>([])
  const [said, setSaid] = useState('')
  const fail = (error: unknown) => setSaid(problemText(error))
  const load = useCallback(
    () => api.run(voiceClipsList, { language }).then(({ results }) => setClips(results)),
    [api, language],
  )
  useEffect(() => {
    load().catch((error: unknown) => setSaid(problemText(error)))
  }, [load])
  useEffect(() => {
    api.all<{ code: string }>(servicesList).then(
      (all) => setLetters([...new Set(all.flatMap(({ code }) => code.match(/[A-Z]/g) ?? []))].toSorted()),
      (error: unknown) => setSaid(problemText(error)),
    )
  }, [api])

  async function bring({ target }: ChangeEvent<HTMLInputElement>) {
    const files = [...(target.files ?? [])]
    const unknown = files.filter(({ name }) => !wordOf(name)).map(({ name }) => name)
    try {
      for (const file of files) {
        const word = wordOf(file.name)
        if (word) await api.run(voiceClipsSet, { language, word, audio: base64(await file.arrayBuffer()) })
      }
      await load()
      setSaid(
        unknown.length > 0
          ? t('admin.voice_unknown', { names: unknown.join(', ') })
          : t('admin.voice_brought', { count: files.length }),
      )
    } catch (error) {
      fail(error)
    }
    target.value = ''
  }
  const there = new Set(clips?.map(({ word }) => word))
  const missing = ['ticket', 'counter', ...letters].filter((word) => !there.has(word))
  return (
    <>
      <h1>{t('admin.voice')}</h1>
      <p className="muted about">{t('admin.voice.about')}</p>
      <p className="row">
        <select
          aria-label={t('admin.field.language')}
          value={language}
          onChange={(e) => setLanguage(e.target.value as Language)}
        >
          {(['fr', 'en', 'ar'] as const).map((each) => (
            <option key={each} value={each}>
              {t(`admin.language.${each}`)}
            </option>
          ))}
        </select>
        <label className="button" data-kind="primary">
          {t('admin.voice_choose')}
          <input
            type="file"
            multiple
            accept=".wav,.mp3,.ogg"
            className="visually-hidden"
            onChange={(event) => void bring(event)}
          />
        </label>
      </p>
      <p role="status">{said}</p>
      {clips && missing.length > 0 && (
        <p data-missing={missing.join(' ')}>
          <Icon name="alert" /> {t('admin.voice_missing')} <Code>{missing.join(' ')}</Code>
        </p>
      )}
      {clips?.length === 0 && <p className="empty">{t('admin.voice_none')}</p>}
      <ul className="clips">
        {clips?.map(({ word, url, size_bytes }) => (
          <li key={word} data-clip={word}>
            <strong>
              <Code>{word}</Code>
            </strong>
            <span className="muted">{t('admin.kilobytes', { count: Math.ceil(size_bytes / 1000) })}</span>
            <button
              type="button"
              className="button"
              data-kind="quiet"
              aria-label={t('admin.listen_to', { word })}
              onClick={() => void new Audio(url).play().catch(fail)}
            >
              {t('admin.listen')}
            </button>
            <button
              type="button"
              className="button"
              data-kind="quiet"
              aria-label={t('admin.remove_word', { word })}
              onClick={() => void api.run(voiceClipsDelete, { language, word }).then(load).catch(fail)}
            >
              <Icon name="cross" />
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
