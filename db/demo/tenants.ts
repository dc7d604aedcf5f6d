/** A service in the three languages; its letter decides colour and shape. */
type DemoService = readonly [code: string, fr: string, en: string, ar: string, minutes: number]
/** Somebody at a counter, and the letters of the lines they serve. */
type DemoPerson = readonly [name: string, serves: string]

export interface DemoTenantPlan {
  slug: string
  name: string
  locale: 'fr' | 'en' | 'ar'
  timezone: string
  /** What a counter is called; its number follows. */
  counter: string
  services: readonly DemoService[]
  sites: readonly {
    slug: string
    name: string
    address: string
    latitude: number
    longitude: number
    /** Lines this site has; all when absent. */
    serves?: string
    agents: readonly DemoPerson[]
    displays: readonly { name: string; languages: readonly string[] }[]
  }[]
}

/**
 * A bank, a town hall and a clinic. They never close, so that the demo lives at any hour. The town hall has a line for
 * each of the eleven classes that a Warsaw office has.
 */
export const DEMO_TENANTS: readonly DemoTenantPlan[] = [
  {
    slug: 'demo-bank',
    name: 'Demo Bank',
    locale: 'fr',
    timezone: 'Europe/Paris',
    counter: 'Guichet',
    services: [
      ['A', 'Caisse', 'Cash desk', 'الصندوق', 4],
      ['B', 'Comptes et virements', 'Accounts and transfers', 'الحسابات والتحويلات', 8],
      ['C', 'Crédits', 'Loans', 'القروض', 20],
      ['D', 'Cartes bancaires', 'Bank cards', 'البطاقات المصرفية', 7],
      ['E', 'Entreprises', 'Business customers', 'خدمات الشركات', 15],
    ],
    sites: [
      {
        slug: 'centre',
        name: 'Agence Centre',
        address: '12 rue de la République, 69002 Lyon',
        latitude: 45.7609,
        longitude: 4.8357,
        agents: [
          ['Samira Benali', 'AB'],
          ['Julien Moreau', 'A'],
          ['Chloé Petit', 'CE'],
          ['Karim Haddad', 'BD'],
          ['Marta Kowalska', 'DE'],
        ],
        displays: [
          { name: 'Hall', languages: ['fr', 'en', 'ar'] },
          { name: 'Salon', languages: ['fr', 'en'] },
        ],
      },
      {
        slug: 'gare',
        name: 'Agence Gare',
        address: '3 place Charles Béraudier, 69003 Lyon',
        latitude: 45.7603,
        longitude: 4.8594,
        serves: 'ABD',
        agents: [
          ['Inès Rahmani', 'AB'],
          ['Paul Girard', 'BD'],
        ],
        displays: [{ name: 'Hall', languages: ['fr', 'ar'] }],
      },
    ],
  },
  {
    slug: 'demo-mairie',
    name: 'Mairie de Démonville',
    locale: 'fr',
    timezone: 'Europe/Paris',
    counter: 'Guichet',
    services: [
      ['A', 'Carte d’identité et passeport', 'Identity cards and passports', 'بطاقات الهوية وجوازات السفر', 12],
      ['B', 'État civil', 'Civil registry', 'الحالة المدنية', 9],
      ['C', 'Cartes grises et permis', 'Vehicle papers and licences', 'أوراق المركبات ورخص القيادة', 11],
      ['D', 'Domicile et élections', 'Address and electoral roll', 'العنوان والقوائم الانتخابية', 7],
      ['E', 'Écoles et petite enfance', 'Schools and childcare', 'المدارس ورعاية الأطفال', 10],
      ['F', 'Urbanisme', 'Planning', 'التعمير', 15],
      ['G', 'Logement', 'Housing', 'السكن', 14],
      ['H', 'Aide sociale', 'Social services', 'المساعدة الاجتماعية', 16],
      ['J', 'Impôts locaux', 'Local taxes', 'الضرائب المحلية', 8],
      ['K', 'Caisse', 'Cash desk', 'الصندوق', 3],
      ['L', 'Retrait de documents', 'Document collection', 'استلام الوثائق', 3],
    ],
    sites: [
      {
        slug: 'hotel-de-ville',
        name: 'Hôtel de ville',
        address: '1 place de la Mairie, 38000 Grenoble',
        latitude: 45.1914,
        longitude: 5.7322,
        agents: [
          ['Nadia Cherif', 'AL'],
          ['Thomas Leroy', 'A'],
          ['Fatou Diallo', 'B'],
          ['Hugo Martin', 'C'],
          ['Leïla Amrani', 'CD'],
          ['Claire Dubois', 'E'],
          ['Omar Saïdi', 'FG'],
          ['Sophie Bernard', 'GH'],
          ['Antoine Roche', 'JK'],
          ['Yasmine Toumi', 'KL'],
        ],
        displays: [
          { name: 'Salle d’attente', languages: ['fr', 'en', 'ar'] },
          { name: 'Accueil', languages: ['fr', 'ar'] },
        ],
      },
    ],
  },
  {
    slug: 'demo-clinic',
    name: 'مصحة النور',
    locale: 'ar',
    timezone: 'Africa/Casablanca',
    counter: 'شباك',
    services: [
      ['A', 'Consultation générale', 'General practice', 'الطب العام', 12],
      ['B', 'Prises de sang', 'Blood tests', 'تحاليل الدم', 5],
      ['C', 'Radiologie', 'Radiology', 'الأشعة', 14],
      ['D', 'Pédiatrie', 'Paediatrics', 'طب الأطفال', 15],
      ['E', 'Admissions', 'Admissions', 'الاستقبال والتسجيل', 6],
    ],
    sites: [
      {
        slug: 'maarif',
        name: 'مصحة المعاريف',
        address: 'شارع المسيرة الخضراء، الدار البيضاء',
        latitude: 33.5855,
        longitude: -7.6325,
        agents: [
          ['سلمى العلوي', 'A'],
          ['يوسف بناني', 'AD'],
          ['Claire Fontaine', 'B'],
          ['مريم الإدريسي', 'C'],
          ['حسن التازي', 'E'],
        ],
        displays: [{ name: 'قاعة الانتظار', languages: ['ar', 'fr'] }],
      },
    ],
  },
]
