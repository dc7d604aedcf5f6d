import { languageTag, type Language } from '../../../shared/format.ts'

/** Says what has the focus where the machine has a voice of that language of its own; else the headset stays silent. */
export function speak(text: string, language: Language): void {
  if (!('speechSynthesis' in globalThis) || !text) return
  const voice = speechSynthesis.getVoices().find((each) => each.localService && each.lang.startsWith(language))
  if (!voice) return
  speechSynthesis.cancel()
  const utterance = new SpeechSynthesisUtterance(text)
  utterance.voice = voice
  utterance.lang = languageTag(language)
  speechSynthesis.speak(utterance)
}
