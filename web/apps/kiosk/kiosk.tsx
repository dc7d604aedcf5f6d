import { useEffect, useRef, useState } from 'preact/hooks'
import type { Language } from '../../../shared/format.ts'
import { newKey, Problem } from '../../data/api.ts'
import { oneAtATime } from '../../data/one-at-a-time.ts'
import type { PairingCode } from '../../data/pairing.ts'
import { wear } from '../../ui/brand.ts'
import { setLanguage, t } from '../../ui/messages.ts'
import { useIdle } from './idle.ts'
import { useKeys } from './keys.ts'
import { isAway, type House, type Machine } from './machine.ts'
import type { Taken } from './taken.ts'
import { CheckIn } from './check-in.tsx'
import { Phone } from './phone.tsx'
import { Services } from './services.tsx'
import { Pin } from './pin.tsx'
import { Prompter } from './speak.ts'
import { Staff } from './staff.tsx'
import { Ticket } from './ticket.tsx'
import { OutOfService, PairingPage, Welcome } from './welcome.tsx'

type Step = 'welcome' | 'services' | 'phone' | 'check-in' | 'ticket' | 'pin' | 'staff'
const ALL: Language[] = ['fr', 'en', 'ar']
/** Lines and hours are read again this often: what a supervisor stops is not offered two seconds later. */
const REFRESH_MS = 1500

/** A ticket machine: one person after the other, and nothing of the one before. */
export function Kiosk({ machine }: { machine: Machine }) {
  const [pairing, setPairing] = useState<PairingCode | null>(null)
  const [house, setHouse] = useState<House | null>(null)
  const [step, setStep] = useState<Step>('welcome')
  const [isAccess, setAccess] = useState(false)
  const [taken, setTaken] = useState<Taken | null>(null)
  /** Of the service that was chosen before the telephone number is asked for. */
  const [queueId, setQueueId] = useState(0)
  const [refusal, setRefusal] = useState('')
  const [isBusy, setBusy] = useState(false)
  const [isTrusted, setTrusted] = useState(false)
  const language = useRef<Language>('fr')
  const prompter = useRef<Prompter>(undefined)
  const voice = (prompter.current ??= new Prompter((text, spoken) => machine.clipOf(text, spoken)))
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
    setTrusted(false)
    setStep('welcome')
    speakIn(languages[0]!)
  }
  const left = useIdle(step !== 'welcome' || isAccess, house?.settings.idle_seconds, reset)

  async function learn(): Promise<void> {
    try {
      const next = await machine.house()
      setHouse(next)
      // What an older version kept has none.
      wear(next.page.brand?.colour ?? null)
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
      timer = setInterval(oneAtATime(learn), REFRESH_MS)
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
      if (error instanceof Problem && error.code === 'kiosk_inactive') return await beOff()
      setRefusal(error instanceof Problem && !isAway(error) ? whyNot(error) : t('kiosk.unreachable'))
    } finally {
      setBusy(false)
    }
  }
  /** Switched off since it last looked: it says so at once, to everybody. */
  async function beOff(): Promise<void> {
    machine.doubt()
    reset()
    await learn()
  }
  async function openStaff(pin: string): Promise<void> {
    setBusy(true)
    setRefusal('')
    try {
      if (!(await machine.isPin(pin))) return setRefusal(t('kiosk.pin_wrong'))
      setTrusted(true)
      setStep('staff')
    } catch (error) {
      // Without a network the page opens as it does for a machine without a PIN.
      if (isAway(error)) setStep('staff')
      else setRefusal(error instanceof Problem ? error.message : t('kiosk.unreachable'))
    } finally {
      setBusy(false)
    }
  }
  const keys = { isAccess, voice, onAccess: () => setAccess(true) }
  useKeys(keys, (text) => {
    const link = /\/a\/([\w-]{20,})/.exec(text)?.[1]
    if (link) void have(() => machine.arrive({ link }))
  })
  const isWarned = left !== null
  useEffect(() => {
    // Time that runs out is told to more than one sense.
    if (isWarned && isAccess) void voice.say(`${t('kiosk.still')} ${t('kiosk.more_time')}`, language.current)
  }, [isWarned])
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
  const begin = (next: Language, to: Step) => {
    // Lines as they are for whoever stands here now.
    void learn()
    speakIn(next)
    setStep(to)
  }
  const take = (id: number, phone?: string) => {
    const key = newKey()
    void have(() => machine.take(id, language.current, key, phone))
  }
  const choose = (id: number) => {
    // Without a network nobody can be written to.
    if (!house.settings.asks_phone || house.offline) return take(id)
    setQueueId(id)
    setRefusal('')
    setStep('phone')
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
      {step === 'welcome' && !house.isActive && <OutOfService house={house} languages={languages} />}
      {step === 'welcome' && house.isActive && (
        <Welcome
          house={house}
          languages={languages}
          onLanguage={(next) => begin(next, 'services')}
          onCheckIn={(next) => begin(next, 'check-in')}
        />
      )}
      {step === 'services' && (
        <Services
          house={house}
          isBusy={isBusy}
          onCheckIn={() => setStep('check-in')}
          onService={choose}
          onBack={reset}
        />
      )}
      {step === 'phone' && (
        <Phone isBusy={isBusy} onPhone={(phone) => take(queueId, phone)} onSkip={() => take(queueId)} onBack={reset} />
      )}
      {step === 'check-in' && (
        <CheckIn isBusy={isBusy} onTyped={(typed) => void have(() => machine.arrive(typed))} onBack={reset} />
      )}
      {step === 'ticket' && taken && (
        <Ticket taken={taken} settings={house.settings} machine={machine} onDone={reset} />
      )}
      {step === 'pin' && <Pin isBusy={isBusy} onPin={(pin) => void openStaff(pin)} onBack={reset} />}
      {step === 'staff' && (
        <Staff
          machine={machine}
          prompter={voice}
          settings={house.settings}
          isTrusted={isTrusted}
          hasPin={house.hasPin}
          onDone={reset}
        />
      )}
      {((step === 'welcome' && house.isActive) || step === 'services' || step === 'phone') && (
        <button type="button" class="button access" aria-pressed={isAccess} onClick={() => setAccess(!isAccess)}>
          {t('kiosk.access')}
        </button>
      )}
      {step === 'welcome' && <StaffCorner onOpen={() => setStep(house.hasPin ? 'pin' : 'staff')} />}
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

/** What was wrong with what was typed, else the refusal. */
const whyNot = ({ errors: [wrong], message }: Problem) => wrong?.detail ?? message

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
