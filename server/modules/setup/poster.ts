import Type from 'typebox'
import { encode } from 'uqr'
import { translate } from '../../kernel/i18n.ts'
import { ADMINS } from '../../kernel/access.ts'
import { operation } from '../../kernel/operation.ts'
import { pdfOf } from '../../kernel/pdf.ts'
import { Closed, Id, type Locale } from '../../kernel/schema.ts'

const LANGUAGES: readonly Locale[] = ['fr', 'en', 'ar']
/** Of A4, in points. */
const WIDTH = 595.28
const MARGIN = 54
const INK = '#14181f'
const PAPER = '#ffffff'
const CALL = '#ffc93c'
const FAINT = '#3b4452'

interface Poster {
  organisation: string
  site: string
  /** Address of the site's page. */
  url: string
  /** Colour of the organisation's buttons. */
  colour: string
}

/** One page with all three languages, then one a language; each letter is the font's own, each code is drawn as squares. */
function posterPdf({ organisation, site, url, colour }: Poster, first: Locale): Promise<Buffer> {
  const order = [first, ...LANGUAGES.filter((each) => each !== first)]
  const pages = [order, ...order.map((each) => [each])]
  const options = {
    size: 'A4',
    margin: 0,
    autoFirstPage: false,
    lang: first,
    info: { Title: `${organisation} · ${site}` },
  }
  return pdfOf(options, (doc, write) => {
    for (const [index, languages] of pages.entries()) {
      doc.addPage()
      const isRtl = languages[0] === 'ar'
      const address = index === 0 ? url : `${url}?lang=${languages[0]!}`
      const box = { x: MARGIN, width: WIDTH - 2 * MARGIN }
      const centre = { align: 'center' as const, colour: INK }
      doc.rect(0, 0, WIDTH, 132).fill(colour)
      write(organisation, isRtl, { ...box, y: 36 }, { size: 18, colour: PAPER })
      write(site, isRtl, { ...box, y: 62 }, { size: 34, weight: 700, colour: PAPER })
      let y = 168
      const size = languages.length > 1 ? 32 : 52
      for (const language of languages) {
        write(translate(language, 'poster.title'), language === 'ar', { ...box, y }, { ...centre, size, weight: 700 })
        y += size * 1.5
      }
      y += languages.length > 1 ? 30 : 48
      const side = languages.length > 1 ? 280 : 340
      const left = (WIDTH - side) / 2
      doc.roundedRect(left - 18, y - 18, side + 36, side + 36, 18).fill(CALL)
      doc.rect(left, y, side, side).fill(PAPER)
      const { size: modules, data } = encode(address, { ecc: 'M', border: 3 })
      const unit = side / modules
      for (const [row, cells] of data.entries())
        for (const [column, isDark] of cells.entries())
          // A hair wider than a square: readers of screens must see no seam.
          if (isDark) doc.rect(left + column * unit, y + row * unit, unit + 0.15, unit + 0.15)
      doc.fill(INK)
      y += side + 40
      const shown = address.replace(/^https?:\/\//, '').replace(/\?.*/, '')
      write(shown, false, { ...box, y }, { ...centre, size: 15, weight: 700 })
      y += 36
      for (const language of languages) {
        const steps = translate(language, 'poster.steps')
        write(steps, language === 'ar', { ...box, y }, { align: 'center', size: 14, colour: FAINT })
        y += 24
      }
    }
  })
}

export const poster = operation({
  id: 'sites.poster',
  kind: 'query',
  summary: 'Posters with the code that opens a site’s page, in three languages, as a PDF',
  description: 'Four pages of A4: all languages, then each alone. `pdf_base64` is the file.',
  scope: 'read:site',
  roles: [...ADMINS, 'supervisor'],
  http: { method: 'GET', path: '/sites/{id}/poster/' },
  input: Closed({ id: Id }),
  output: Closed({ url: Type.String(), file_name: Type.String(), pdf_base64: Type.String() }),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const site = await ctx.tx.one<{ name: string; slug: string }>('select name, slug from sites where id = $1', [id])
    const [brand] = await ctx.tx.query<{ brand_colour: string | null }>(
      'select brand_colour from tenants where id = $1',
      [ctx.tenant.id],
    )
    const url = ctx.url(`/site/${ctx.tenant.slug}/${site.slug}`)
    const colour = brand?.brand_colour ?? '#0A4DA3'
    const pdf = await posterPdf({ organisation: ctx.tenant.name, site: site.name, url, colour }, ctx.tenant.locale)
    return { url, file_name: `${ctx.tenant.slug}-${site.slug}.pdf`, pdf_base64: pdf.toString('base64') }
  },
})
