import { useEffect, useRef, useState } from 'preact/hooks'
import type { Language } from '../../../shared/format.ts'
import { newKey, Problem } from '../../data/api.ts'
import type { PairingCode } from '../../data/pairing.ts'
import { setLanguage, t } from '../../ui/messages.ts'
import { useIdle } from './idle.ts'
import { useKeys } from './keys.ts'
import { isAway, type House, type Machine } from './machine.ts'
import type { Taken } from './taken.ts'
import { CheckIn } from './check-in.tsx'
import { Services } from './services.tsx'
import { Staff } from './staff.tsx'
import { Ticket } from './ticket.tsx'
import { PairingPage, Welcome } from './welcome.tsx'

type Step = 'welcome' | 'services' | 'check-in' | 'ticket' | 'staff'
const ALL: Language[] = ['fr', 'en', 'ar']
/** Lines and hours are read again this often. */
const REFRESH_MS = 5000

/** A ticket machine: one person after the other, and nothing of the one before. */
export function Kiosk({ machine }: { machine: Machine }) {
  const [pairing, setPairing] = useState<PairingCode | null>(null)
  const [house, setHouse] = useState<House | null>(null)
  const [step, setStep] = useState<Step>('welcome')
  const [isAccess, setAccess] = useState(false)
  const [taken, setTaken] = useState<Taken | null>(null)
  const [refusal, setRefusal] = useState('')
  const [isBusy, setBusy] = useState(false)
  const language = useRef<Language>('fr')
  const languages = house?.settings.languages ?? ALL

  function speakIn(next: Language): void {
    language.current = next
    setLanguage(next)
    document.documentElement.lang = next
    document.documentElement.dir = next === 'ar' ? 'rtl' : 'ltr'
  }
  /** The next person finds the machine as it was in the morning. */
  function reset(): void {
    setTaken(null)
    setRefusal('')
    setAccess(false)
    setStep('welcome')
    speakIn(languages[0]!)
  }
  const left = useIdle(step !== 'welcome' || isAccess, house?.settings.idle_seconds, reset)

  async function learn(): Promise<void> {
    try {
      setHouse(await machine.house())
      setRefusal((known) => (known === t('kiosk.unreachable') ? '' : known))
    } catch (error) {
      if (error instanceof Problem && error.status === 401) location.reload()
      else setRefusal(t('kiosk.unreachable'))
    }
  }
  useEffect(() => {
    let timer: ReturnType<typeof setInterval>
    void machine.open(setPairing).then(async () => {
      setPairing(null)
      await learn()
      timer = setInterval(() => void learn(), REFRESH_MS)
    })
    return () => clearInterval(timer)
  }, [])

  /** Shows the ticket that the server gave, or why it gave none. */
  async function have(asked: () => Promise<Taken>): Promise<void> {
    if (isBusy) return
    setBusy(true)
    setRefusal('')
    try {
      setTaken(await asked())
      setStep('ticket')
    } catch (error) {
      setRefusal(error instanceof Problem && !isAway(error) ? error.message : t('kiosk.unreachable'))
    } finally {
      setBusy(false)
    }
  }
  useKeys(isAccess, (text) => {
    const link = /\/a\/([\w-]{20,})/.exec(text)?.[1]
    if (link) void have(() => machine.arrive({ link }))
  })
  useEffect(() => {
    if (isAccess) document.querySelector<HTMLElement>('button')?.focus()
  }, [isAccess, step])

  if (pairing) return <PairingPage code={pairing.code} />
  if (!house)
    return (
      <main class="kiosk">
        {refusal && (
          <p class="banner" role="alert">
            {refusal}
          </p>
        )}
      </main>
    )
  const begin = (next: Language) => {
    speakIn(next)
    setStep('services')
  }
  return (
    <main
      class="kiosk"
      data-step={step}
      data-access={isAccess}
      style={{ '--letter': letter(house.settings.dots_per_inch) }}
    >
      <p class="banner" role="alert" hidden={!refusal}>
        {refusal}
      </p>
      {house.offline && (step === 'welcome' || step === 'services') && (
        <p class="banner" role="status" data-offline>
          {t(house.offline.length > 0 ? 'kiosk.offline' : 'kiosk.unreachable')}
        </p>
      )}
      {step === 'welcome' && <Welcome house={house} languages={languages} onLanguage={begin} />}
      {step === 'services' && (
        <Services
          house={house}
          isBusy={isBusy}
          onCheckIn={() => setStep('check-in')}
          onService={(queueId) => {
            const key = newKey()
            void have(() => machine.take(queueId, language.current, key))
          }}
          onBack={reset}
        />
      )}
      {step === 'check-in' && (
        <CheckIn isBusy={isBusy} onTyped={(typed) => void have(() => machine.arrive(typed))} onBack={reset} />
      )}
      {step === 'ticket' && taken && (
        <Ticket taken={taken} settings={house.settings} machine={machine} onDone={reset} />
      )}
      {step === 'staff' && <Staff machine={machine} settings={house.settings} onDone={reset} />}
      {(step === 'welcome' || step === 'services') && (
        <button type="button" class="button access" aria-pressed={isAccess} onClick={() => setAccess(!isAccess)}>
          {t('kiosk.access')}
        </button>
      )}
      {step === 'welcome' && <StaffCorner onOpen={() => setStep('staff')} />}
      {left !== null && (
        <div class="idle" role="alertdialog" aria-labelledby="still">
          <p id="still" class="subtitle">
            {t('kiosk.still')}
          </p>
          <p>{t('kiosk.seconds', { count: left })}</p>
          <button type="button" class="button" data-kind="primary">
            {t('kiosk.more_time')}
          </button>
        </div>
      )}
    </main>
  )
}

/** Capitals of this face are 0.66 of its size; EN 301 549 wants 7.3 mm where one stands 60 cm away. */
const letter = (dotsPerInch = 140) =>
  `${Math.ceil(((7.3 / 0.66) * dotsPerInch) / 25.4 / (globalThis.devicePixelRatio || 1))}px`

const HOLD_MS = 3000
/** A corner that only who knows it presses, and long. */
function StaffCorner({ onOpen }: { onOpen(): void }) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const end = () => clearTimeout(timer.current)
  return (
    <div
      class="staff-corner"
      aria-hidden="true"
      onPointerDown={() => (timer.current = setTimeout(onOpen, HOLD_MS))}
      onPointerUp={end}
      onPointerLeave={end}
    />
  )
}
