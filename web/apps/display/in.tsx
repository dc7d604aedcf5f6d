import type { ComponentChildren } from 'preact'
import type { Language } from '../../../shared/format.ts'

/** Words of one language on a wall of several: the right voice for screen readers, the right direction for eyes. */
export const In = ({ language, children }: { language: Language; children: ComponentChildren }) => (
  <bdi lang={language} dir={language === 'ar' ? 'rtl' : 'ltr'}>
    {children}
  </bdi>
)
