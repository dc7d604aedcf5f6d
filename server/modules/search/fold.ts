/** Marks that say how a letter is read, and signs that are not seen: left out. */
const MARKS =
  /[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u200b-\u200f]/g
/** What parts words. */
const BETWEEN =
  /[\t-\u002f\u003a-\u0060\u007b-\u00bf\u00d7\u00f7\u02bc\u060c\u061b\u061f\u066a-\u066d\u06d4\u2000-\u206f\u3000-\u303f]+/g
/**
 * Each letter and the Latin one it is compared as. Those that are mistaken for one another, such as ه and ة, become the same.
 */
const ALIKE =
  'اaبbتtثtجjحhخkدdذdرrزzسsشcصsضdطtظzعeغgفfقqكkلlمmنnهhوwيyءxٱaىyیyېyےyةhھhہhەhکkگkڤfپbچjژz٠0١1٢2٣3٤4٥5٦6٧7٨8٩9۰0۱1۲2۳3۴4۵5۶6۷7۸8۹9øołlđdıiаaбbвvгgдdеeжjзzиiкkлlмmнnоoпpрrсsтtуuфfхhцcчcшsщsъxыyьxэeюuяaαaβbγgδdεeζzηiθtιiκkλlμmνnξxοoπpρrσsςsτtυyφfχhψpωo'
const letters = new Map<string, string>([
  ...[...ALIKE.matchAll(/(.)(.)/gu)].map(([, from, to]): [string, string] => [from!, to!]),
  ['ß', 'ss'],
  ['œ', 'oe'],
  ['æ', 'ae'],
])

/** Text as it is compared, the same as `app.fold` in the database: `Éléonore Sœur-Haddād` → `eleonore soeur haddad`, `محمّد` → `mhmd`. */
export function fold(value: string): string {
  const plain = value.normalize('NFKD').replace(MARKS, '').toLowerCase()
  return Array.from(plain, (letter) => letters.get(letter) ?? letter)
    .join('')
    .replace(BETWEEN, ' ')
    .trim()
}
