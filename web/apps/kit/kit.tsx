import type { ComponentChildren } from 'preact'
import { LINES } from '../../../shared/line.ts'
import { STATES, type StateName } from '../../../shared/state-table.ts'
import { stopwatch, waitRange } from '../../ui/format.ts'
import { ICONS, type IconName } from '../../ui/icons.ts'
import { t } from '../../ui/messages.ts'
import { Code, Icon, LineBadge, StaleBanner, StateLabel } from '../../ui/parts/preact.ts'
import { offerUndo } from '../../ui/toast.ts'

/** Every part in every state, for eyes and for the accessibility test: add `?lang=` and `?theme=dark`. */
export function Kit() {
  return (
    <main class="kit">
      <h1>SmartQueue</h1>
      <Section title="Lines">
        {LINES.map((line) => (
          <span class="kit-item" key={line}>
            <LineBadge code={line.toUpperCase()} label={t('ui.line', { line: line.toUpperCase() })} />{' '}
            <Code>{`${line.toUpperCase()}-042`}</Code>
          </span>
        ))}
      </Section>
      <Section title="States">
        {(Object.keys(STATES) as StateName[]).map((state) => (
          <StateLabel key={state} state={state} />
        ))}
      </Section>
      <Section title="Icons">
        {(Object.keys(ICONS) as IconName[]).map((name) => (
          <span class="kit-item" key={name}>
            <Icon name={name} /> {name}
          </span>
        ))}
      </Section>
      <Section title="Buttons">
        <button type="button" class="button" data-kind="primary">
          {t('ui.undo')}
        </button>
        <button type="button" class="button">
          {t('ui.close')} <span class="key">N</span>
        </button>
        <button type="button" class="button" disabled>
          {t('ui.close')}
        </button>
        <button
          type="button"
          class="button"
          id="kit-undo"
          onClick={() => offerUndo({ text: 'A-042', seconds: 60, onUndo: () => {} })}
        >
          {t('ui.undo')} 60 s
        </button>
      </Section>
      <Section title="Figures">
        <span class="kit-item">{waitRange(720, 1080)}</span>
        <span class="kit-item">{waitRange(3600, 5400)}</span>
        <span class="kit-item">{waitRange(60, 200)}</span>
        <span class="kit-item">{waitRange(null, null)}</span>
        <span class="kit-item">
          <Code>{stopwatch(3725)}</Code>
        </span>
        {[0, 1, 2, 3, 11, 100].map((count) => (
          <span class="kit-item" key={count}>
            {t('ui.age_seconds', { count })}
          </span>
        ))}
      </Section>
      <Section title="Banners">
        <StaleBanner kind="offline" time="14:09" />
        <StaleBanner kind="stale" time="14:09" />
        <p class="banner" data-kind="danger">
          <Icon name="alert" /> {t('ui.no_estimate')}
        </p>
      </Section>
    </main>
  )
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h2 lang="en">{title}</h2>
      <div class="kit-row">{children}</div>
    </section>
  )
}
