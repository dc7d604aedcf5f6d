import type { Page } from 'playwright-core'
import sharp from 'sharp'

/** Dots of a picture, row by row; true is black. */
export type Dots = boolean[][]

/** What a receipt printer puts on paper: the raster commands of a job, one below the other. */
export function printed(job: readonly number[]): Dots {
  const rows: Dots = []
  let at = 0
  while (job[at] === 0x1d && job[at + 1] === 0x76) {
    const width = job[at + 4]! + 256 * job[at + 5]!
    const height = job[at + 6]! + 256 * job[at + 7]!
    at += 8
    for (let row = 0; row < height; row++, at += width)
      rows.push(Array.from({ length: width * 8 }, (_, x) => ((job[at + (x >> 3)]! >> (7 - (x & 7))) & 1) === 1))
  }
  return rows
}

/** The same words laid out on a page by the browser, cut to their ink. */
export async function drawn(page: Page, text: string, style: string): Promise<Dots> {
  const box = await page.evaluateHandle(
    ([words, css]) => {
      const span = document.createElement('span')
      span.textContent = words!
      span.style.cssText = `${css!}; position: fixed; inset-block-start: 0; inset-inline-start: 0; z-index: 9; padding: 60px; background: #fff; color: #000; white-space: nowrap; line-height: 1.5`
      document.body.append(span)
      return span
    },
    [text, style],
  )
  await page.evaluate('document.fonts.ready.then(() => true)')
  const picture = sharp(await box.asElement()!.screenshot())
  await box.evaluate((span) => span.remove())
  const { data, info } = await picture.extractChannel('red').raw().toBuffer({ resolveWithObject: true })
  const rows = Array.from({ length: info.height }, (_, y) =>
    Array.from(data.subarray(y * info.width, (y + 1) * info.width), (value) => value < 128),
  )
  return inkOf(rows)
}

function inkOf(rows: Dots): Dots {
  const used = rows.flatMap((row, y) => (row.includes(true) ? [y] : []))
  const columns = rows.flatMap((row) => row.flatMap((isBlack, x) => (isBlack ? [x] : [])))
  const [from, to] = [Math.min(...columns), columns.reduce((most, x) => Math.max(most, x), 0)]
  return rows.slice(used[0]!, used.at(-1)! + 1).map((row) => row.slice(from, to + 1))
}

/**
 * How much of a picture is found on a page, at the place where most of it is: the share of the dots that are black in
 * either and have a black one of the other within one dot. Only places with nothing printed around them count.
 */
export function likeness(page: Dots, picture: Dots): number {
  const [height, width] = [picture.length, picture[0]!.length]
  const ink = inkIn(page)
  let best = 0
  for (let top = 0; top + height <= page.length; top++) {
    for (let left = 0; left + width <= page[0]!.length; left++) {
      const [right, bottom] = [left + width, top + height]
      const around = ink(left - 2, top - 2, right + 2, bottom + 2) - ink(left - 1, top - 1, right + 1, bottom + 1)
      if (around > 0 || ink(left, top, left + 2, bottom) === 0 || ink(left, top, right, top + 2) === 0) continue
      best = Math.max(best, agreement(page.slice(top, bottom), picture, left))
    }
  }
  return best
}

/** Counts the black dots of a rectangle at once, whatever its size. */
function inkIn(page: Dots): (left: number, top: number, right: number, bottom: number) => number {
  const width = page[0]!.length
  const sums = [new Uint32Array(width + 1)]
  for (const row of page) {
    const above = sums.at(-1)!
    const next = new Uint32Array(width + 1)
    let run = 0
    for (let x = 0; x < width; x++) {
      run += row[x] ? 1 : 0
      next[x + 1] = above[x + 1]! + run
    }
    sums.push(next)
  }
  const at = (x: number, y: number) => sums[Math.min(Math.max(y, 0), page.length)]![Math.min(Math.max(x, 0), width)]!
  return (left, top, right, bottom) => at(right, bottom) - at(left, bottom) - at(right, top) + at(left, top)
}

function agreement(strip: Dots, picture: Dots, left: number): number {
  const isNear = (rows: Dots, x: number, y: number) => {
    for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) if (rows[y + dy]?.[x + dx]) return true
    return false
  }
  let black = 0
  let found = 0
  for (const [y, row] of picture.entries()) {
    for (const [x, isBlack] of row.entries()) {
      if (isBlack) {
        black++
        if (isNear(strip, left + x, y)) found++
      }
      if (strip[y]![left + x]) {
        black++
        if (isNear(picture, x, y)) found++
      }
    }
  }
  return found / black
}
