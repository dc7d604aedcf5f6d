import type { Locale } from '../../kernel/schema.ts'

type Words = Record<Locale, string>
interface ServiceTemplate {
  names: Words
  seconds: number
  /** Visits by appointment too. */
  booked?: true
}
interface Template {
  counter: Words
  opens: string
  closes: string
  /** ISO weekdays. */
  days: readonly number[]
  services: readonly ServiceTemplate[]
}

const COUNTER: Words = { fr: 'Guichet', en: 'Counter', ar: 'الشباك' }
const WEEKDAYS = [1, 2, 3, 4, 5]

/** What kinds of places usually have: a beginning that is changed afterwards, not a limit. */
export const TEMPLATES = {
  bank: {
    counter: COUNTER,
    opens: '08:45',
    closes: '17:00',
    days: WEEKDAYS,
    services: [
      { names: { fr: 'Accueil et opérations', en: 'Counter services', ar: 'الاستقبال والعمليات' }, seconds: 300 },
      { names: { fr: 'Cartes et comptes', en: 'Cards and accounts', ar: 'البطاقات والحسابات' }, seconds: 480 },
      { names: { fr: 'Conseiller', en: 'Adviser', ar: 'المستشار' }, seconds: 1500, booked: true },
    ],
  },
  town_hall: {
    counter: COUNTER,
    opens: '08:30',
    closes: '17:30',
    days: WEEKDAYS,
    services: [
      { names: { fr: 'État civil', en: 'Civil registry', ar: 'الحالة المدنية' }, seconds: 420 },
      {
        names: { fr: 'Titres d’identité', en: 'Identity documents', ar: 'وثائق الهوية' },
        seconds: 900,
        booked: true,
      },
      { names: { fr: 'Urbanisme', en: 'Planning', ar: 'التعمير' }, seconds: 900 },
    ],
  },
  clinic: {
    counter: { fr: 'Bureau', en: 'Desk', ar: 'مكتب' },
    opens: '08:00',
    closes: '18:00',
    days: [1, 2, 3, 4, 5, 6],
    services: [
      { names: { fr: 'Admissions', en: 'Admissions', ar: 'القبول' }, seconds: 300 },
      { names: { fr: 'Consultation', en: 'Consultation', ar: 'استشارة طبية' }, seconds: 1200, booked: true },
      { names: { fr: 'Prélèvements', en: 'Blood tests', ar: 'التحاليل' }, seconds: 480 },
    ],
  },
  shop: {
    counter: { fr: 'Caisse', en: 'Till', ar: 'صندوق' },
    opens: '10:00',
    closes: '19:30',
    days: [1, 2, 3, 4, 5, 6],
    services: [
      { names: { fr: 'Caisse', en: 'Checkout', ar: 'الدفع' }, seconds: 150 },
      { names: { fr: 'Retrait de commandes', en: 'Order pick-up', ar: 'استلام الطلبات' }, seconds: 240 },
      { names: { fr: 'Service après-vente', en: 'Returns and repairs', ar: 'خدمة ما بعد البيع' }, seconds: 600 },
    ],
  },
} as const satisfies Record<string, Template>
export const TEMPLATE_NAMES = Object.keys(TEMPLATES) as (keyof typeof TEMPLATES)[]
export const templateOf = (name: keyof typeof TEMPLATES): Template => TEMPLATES[name]
