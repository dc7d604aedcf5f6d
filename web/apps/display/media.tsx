import type { Language } from '../../../shared/format.ts'
import { local } from '../../ui/brand.ts'
import { mediaNow, type Model } from './model.ts'

const isStill = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches

/** Pictures and silent films of the house, while nobody is called. What cannot be shown leaves its place empty. */
export function Media({ model, languages }: { model: Model; languages: Language[] }) {
  const item = mediaNow(model)
  if (!item || (item.kind === 'video' && isStill())) return null
  const language = languages.find((each) => item.alt[each]) ?? languages[0]!
  const alt = item.alt[language] ?? ''
  const src = local(item.url)
  const key = `${item.media_id}`
  return (
    <div class="media" lang={language}>
      {item.kind === 'video' ? (
        <video key={key} src={src} aria-label={alt} autoplay loop muted playsInline onError={hide} />
      ) : (
        <img key={key} src={src} alt={alt} onError={hide} />
      )}
    </div>
  )
}
const hide = ({ currentTarget }: { currentTarget: HTMLElement }) => {
  currentTarget.style.visibility = 'hidden'
}
