import { encode } from 'uqr'
import { lineOf, SHAPES } from '../../../../shared/line.ts'
import type { Bitmap } from './escpos.ts'

/** Dots of a millimetre, on nearly every receipt printer. */
const DOTS = 8
const MARGIN = 2 * DOTS
const FACES = '"Atkinson Hyperlegible Next", "Readex Pro", sans-serif'

/** One thing below the other on the paper. Sizes in dots. */
export type Item =
  /** With the badge of a line before it where there is a `code`. */
  | { kind: 'text'; text: string; size: number; weight: 400 | 700; code?: string }
  /** One line, smaller where the paper is narrow. */
  | { kind: 'number'; text: string; size: number }
  | { kind: 'qr'; text: string; size: number }

/**
 * What is printed, as a picture: printers neither shape nor reorder letters, browsers do.
 * @param widthDots printable width, a multiple of eight: 576 on paper of 80 mm, 384 on 58 mm
 */
export async function drawSlip(items: readonly Item[], widthDots: number, isRightToLeft: boolean): Promise<Bitmap> {
  const all = items.map((item) => item.text).join(' ')
  await Promise.all([400, 700].map((weight) => document.fonts.load(`${weight} 20px ${FACES}`, all)))
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })!
  const width = widthDots - 2 * MARGIN
  const laid = items.map((item) =>
    item.kind === 'text'
      ? { item, lines: wrap(context, item, width - indentOf(item)) }
      : { item: item.kind === 'number' ? fitted(context, item, width) : item, lines: [item.text] },
  )
  canvas.width = widthDots
  canvas.height = Math.ceil(laid.reduce((total, { item, lines }) => total + heightOf(item) * lines.length, MARGIN))
  context.fillStyle = '#fff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.fillStyle = '#000'
  let top = MARGIN / 2
  for (const { item, lines } of laid) {
    for (const [n, line] of lines.entries()) {
      draw(context, item, line, top, widthDots, isRightToLeft, n === 0)
      top += heightOf(item)
    }
  }
  return bitmapOf(context.getImageData(0, 0, canvas.width, canvas.height))
}

const fontOf = (item: Exclude<Item, { kind: 'qr' }>) =>
  `${item.kind === 'number' ? 700 : item.weight} ${item.size}px ${FACES}`
/** With the air below it. */
const heightOf = (item: Item) => item.size * (item.kind === 'text' ? 1.6 : 1.15)

/** Room of the badge before a line of text. */
const indentOf = (item: Item) => (item.kind === 'text' && item.code !== undefined ? item.size * 1.7 : 0)

function fitted(context: CanvasRenderingContext2D, item: Extract<Item, { kind: 'number' }>, width: number): Item {
  context.font = fontOf(item)
  return { ...item, size: Math.floor(item.size * Math.min(1, width / context.measureText(item.text).width)) }
}

/** Lines as wide as the paper, broken between words. */
function wrap(context: CanvasRenderingContext2D, item: Extract<Item, { kind: 'text' }>, width: number): string[] {
  context.font = fontOf(item)
  const lines: string[] = []
  let line = ''
  for (const word of item.text.split(' ')) {
    const longer = line ? `${line} ${word}` : word
    if (line && context.measureText(longer).width > width) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}

function draw(
  context: CanvasRenderingContext2D,
  item: Item,
  line: string,
  top: number,
  widthDots: number,
  isRightToLeft: boolean,
  isFirst: boolean,
): void {
  const start = isRightToLeft ? widthDots - MARGIN : MARGIN
  if (item.kind === 'qr') {
    const { size, data } = encode(line, { ecc: 'M', border: 2 })
    // Whole dots, or cameras see stripes.
    const dot = Math.floor(item.size / size)
    const side = isRightToLeft ? start - dot * size : start
    for (const [y, row] of data.entries())
      for (const [x, isDark] of row.entries()) if (isDark) context.fillRect(side + x * dot, top + y * dot, dot, dot)
    return
  }
  context.font = fontOf(item)
  context.textBaseline = 'alphabetic'
  // A number reads from left to right in every language.
  context.direction = isRightToLeft && item.kind === 'text' ? 'rtl' : 'ltr'
  context.textAlign = isRightToLeft ? 'right' : 'left'
  const indent = indentOf(item)
  context.fillText(
    line,
    isRightToLeft ? start - indent : start + indent,
    top + item.size * (item.kind === 'text' ? 1.2 : 0.85),
  )
  if (item.kind !== 'text' || item.code === undefined || !isFirst) return
  const badge = item.size * 1.4
  drawBadge(context, item.code, isRightToLeft ? start - badge : start, top + item.size * 0.1, badge)
}

/** The line's letter in its shape, without its colour. */
function drawBadge(context: CanvasRenderingContext2D, code: string, x: number, y: number, size: number): void {
  const line = lineOf(code)
  const shape = SHAPES[line]
  const isHole = line === 'h'
  context.save()
  context.translate(x, y)
  context.scale(size / 32, size / 32)
  const path = new Path2D(shape.path)
  if (isHole) {
    context.lineWidth = 3
    context.stroke(path)
  } else context.fill(path)
  context.fillStyle = isHole ? '#000' : '#fff'
  context.direction = 'ltr'
  context.textAlign = 'center'
  const letters = code
    .replace(/[^A-Za-z]/g, '')
    .slice(0, 2)
    .toUpperCase()
  context.font = `700 ${letters.length > 1 ? shape.size * 0.7 : shape.size}px ${FACES}`
  context.fillText(letters, 16, shape.y)
  context.restore()
}

/** Black where it is darker than half. */
function bitmapOf({ width, height, data }: ImageData): Bitmap {
  const bytes = new Uint8Array((width / 8) * height)
  for (let dot = 0; dot < width * height; dot++) if (data[dot * 4]! < 128) bytes[dot >> 3]! |= 0x80 >> (dot & 7)
  return { width, height, bytes }
}
